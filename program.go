package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"belfry/store"
)

// program is one call of Belfry: where it reads from and writes to.
type program struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// action does the work of a subcommand once flags and settings are known.
type action func(ctx context.Context, c *config) error

// subcommand is one thing that the program does.
type subcommand struct {
	name     string // one word or two
	summary  string // one line of the list of commands
	detail   string // what -h says beyond that
	examples []string
	settings settingsUse
	// tellsFaults says that it shows faults of settings itself.
	tellsFaults bool
	// prepare registers the command's own flags and gives the work to be done.
	prepare func(p *program, flags *flagSet) action
}

// settingsUse says which settings a subcommand listens to.
type settingsUse int

const (
	noSettings   settingsUse = iota
	addrSetting              // -addr alone
	allSettings              // all, and the help lists all
	dataSettings             // all, and the help lists those that say where the data is
)

// takes says whether the setting of that name is listened to.
func (u settingsUse) takes(name string) bool {
	return u >= allSettings || u == addrSetting && name == "addr"
}

// shows says whether the help lists the setting.
func (u settingsUse) shows(name string) bool {
	where := []string{"data-dir", "database-url", "secret-key", "secret-key-file"}
	return u.takes(name) && (u != dataSettings || slices.Contains(where, name))
}

// usageError is a wrong call: nothing was started, the exit code is 2.
type usageError struct {
	faults []string
	help   string // the call that tells more
}

func (e *usageError) Error() string { return strings.Join(e.faults, "\n") }

// errReported is a failure of which everything has been said already.
var errReported = errors.New("reported")

// dispatch finds the subcommand that args name and runs it.
func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "-h", "-help", "--help":
			return p.overview()
		case "-version", "--version":
			args[0] = "version"
		}
		if group := groupOf(args[0]); len(group) > 0 && len(args) > 1 && asksForHelp(args[1]) {
			return p.helpOnGroup(args[0], group)
		}
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		args = append([]string{"serve"}, args...)
	}
	cmd, rest, err := findSubcommand(args)
	if err != nil {
		return err
	}
	return p.runSubcommand(ctx, cmd, rest)
}

// findSubcommand takes the words that name a subcommand from args.
func findSubcommand(args []string) (cmd subcommand, rest []string, err error) {
	var names, first []string
	for _, c := range subcommands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):], nil
		}
		names, first = append(names, c.name), append(first, words[0])
	}
	if group := groupOf(args[0]); len(group) > 0 {
		return cmd, nil, &usageError{[]string{incomplete(args, group)}, args[0] + " -h"}
	}
	nearest := store.Suggest(args[0], first)
	if two := store.Suggest(strings.Join(args[:min(len(args), 2)], " "), names); strings.HasPrefix(two, nearest+" ") {
		nearest = two
	}
	return cmd, nil, &usageError{[]string{fmt.Sprintf("there is no command %q", args[0]) + didYouMean("%q", nearest)}, "help"}
}

// incomplete says which second words there are.
func incomplete(args []string, group []subcommand) string {
	begun := make([]string, len(group))
	for i, cmd := range group {
		begun[i] = cmd.name
	}
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		return fmt.Sprintf("there is no command %q: there is %s", args[0]+" "+args[1], strings.Join(begun, " and "))
	}
	return fmt.Sprintf("%q needs a second word: %s", args[0], strings.Join(begun, " or "))
}

// runSubcommand reads flags and settings, names all that is wrong with them,
// and does the work.
func (p *program) runSubcommand(ctx context.Context, cmd subcommand, args []string) error {
	flags := newFlagSet(cmd.name)
	work := cmd.prepare(p, flags)
	given := settingFlags(flags.FlagSet, cmd.settings)
	faults, err := flags.read(args)
	if err != nil {
		return p.helpOn(cmd)
	}
	wrong := &usageError{faults, cmd.name + " -h"}
	c := &config{}
	if cmd.settings != noSettings {
		c = readConfig(given, p.getenv, cmd.settings)
	}
	if !cmd.tellsFaults {
		wrong.faults = append(wrong.faults, c.faults...)
	}
	if len(wrong.faults) > 0 {
		return wrong
	}
	err = work(ctx, c)
	var usage *usageError
	if errors.As(err, &usage) && usage.help == "" {
		usage.help = cmd.name + " -h"
	}
	return err
}

// flagFault says what the flag package found, and the flag that was meant.
func flagFault(err error, flags *flag.FlagSet) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error()
	}
	var names []string
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if len(names) == 0 {
		return fmt.Sprintf("-%s: there is no such flag; this command takes none", name)
	}
	return fmt.Sprintf("-%s: there is no such flag", name) + didYouMean("-%s", store.Suggest(strings.TrimLeft(name, "-"), names))
}

// didYouMean asks after the name that is near, in the format of its kind; it is
// empty where none is.
func didYouMean(format, nearest string) string {
	if nearest == "" {
		return ""
	}
	return "; did you mean " + fmt.Sprintf(format, nearest) + "?"
}

// exitCode says on stderr what went wrong, and gives the code to exit with.
func (p *program) exitCode(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		for _, fault := range usage.faults {
			fmt.Fprintln(p.stderr, "belfry: "+fault)
		}
		fmt.Fprintf(p.stderr, "%s %s tells more.\n", invocation(), usage.help)
		return 2
	case !errors.Is(err, errReported):
		fmt.Fprintln(p.stderr, "belfry: "+explain(err))
	}
	return 1
}

// explain adds the cause, which the pages keep to the log, for the operator.
func explain(err error) string {
	var ours *store.Error
	if errors.As(err, &ours) && ours.Code == store.CodeUnavailable && ours.Cause != nil {
		return err.Error() + " (" + ours.Cause.Error() + ")"
	}
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}
