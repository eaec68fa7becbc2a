package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// helpWidth is where lines of help are broken.
const helpWidth = 88

// invocation is how the reader called the program, for examples to copy.
func invocation() string {
	path, err := os.Executable()
	if err == nil && strings.Contains(filepath.ToSlash(path), "/go-build") {
		return "go run ."
	}
	return "belfry"
}

// calledAs gives an example as the reader would call it: where belfry is the
// command, not where it ends an address.
func calledAs(name, example string) string {
	commands := strings.NewReplacer(" belfry ", " "+name+" ", "(belfry ", "("+name+" ")
	return strings.TrimPrefix(commands.Replace(" "+example), " ")
}

// overview lists the commands.
func (p *program) overview() error {
	fmt.Fprint(p.stdout, "Belfry delivers webhooks: signed, retried, never lost.\n\nUsage: "+invocation()+" [command] [flags]\n\nCommands:\n")
	p.list(subcommands())
	fmt.Fprintf(p.stdout, "\n%[1]s COMMAND -h explains a command; %[1]s serve -h lists the settings.\n", invocation())
	return nil
}

// list shows commands, a line each.
func (p *program) list(commands []subcommand) {
	for _, cmd := range commands {
		fmt.Fprintf(p.stdout, "  %-20s %s\n", cmd.name, cmd.summary)
	}
}

// asksForHelp says whether a word after a command asks to explain it.
func asksForHelp(word string) bool {
	return slices.Contains([]string{"-h", "-help", "--help", "help"}, word)
}

// helpOnGroup lists the commands that begin with the same word.
func (p *program) helpOnGroup(word string, group []subcommand) error {
	fmt.Fprintf(p.stdout, "Usage: %s %s [command] [flags]\n\nCommands:\n", invocation(), word)
	p.list(group)
	fmt.Fprintf(p.stdout, "\n%s %s -h explains a command.\n", invocation(), group[0].name)
	return nil
}

// helpOn explains one command.
func (p *program) helpOn(cmd subcommand) error {
	w := p.stdout
	fmt.Fprintf(w, "Usage: %s %s [flags]\n\n", invocation(), cmd.name)
	printWrapped(w, "", cmd.detail)
	flags := newFlagSet(cmd.name)
	cmd.prepare(p, flags)
	own := false
	flags.VisitAll(func(*flag.Flag) { own = true })
	if own {
		fmt.Fprint(w, "\nFlags:\n")
		flags.VisitAll(func(f *flag.Flag) { printFlag(w, f) })
	}
	if cmd.settings != noSettings {
		fmt.Fprint(w, "\nSettings (a flag, or the environment variable beside it; the flag wins):\n")
		printSettings(w, cmd.settings)
	}
	if cmd.settings == dataSettings {
		fmt.Fprintf(w, "  All other settings of the server are taken as well: give both the same (%s serve -h).\n", invocation())
	}
	if len(cmd.examples) > 0 {
		fmt.Fprint(w, "\nExamples:\n")
	}
	for _, example := range cmd.examples {
		fmt.Fprintf(w, "  %s\n", calledAs(invocation(), example))
	}
	return nil
}

func printFlag(w io.Writer, f *flag.Flag) {
	value, usage := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" {
		usage += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(w, "  -%s %s\n", f.Name, value)
	printWrapped(w, "        ", usage)
}

// printWrapped writes text in lines that fit, each after the indent.
func printWrapped(w io.Writer, indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line) > len(indent) && len(line)+1+len(word) > helpWidth {
			fmt.Fprintln(w, line)
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}

func prepareHelp(p *program, flags *flagSet) action {
	return func(context.Context, *config) error {
		if flags.NArg() == 0 {
			return p.overview()
		}
		if group := groupOf(flags.Arg(0)); len(group) > 0 && flags.NArg() == 1 {
			return p.helpOnGroup(flags.Arg(0), group)
		}
		cmd, _, err := findSubcommand(flags.Args())
		if err != nil {
			return err
		}
		return p.helpOn(cmd)
	}
}
