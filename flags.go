package main

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"time"
)

// flagSet is the flags of one command. What is wrong with the values of its own
// kinds of flags is gathered and stops no parsing, so that all is named at once.
type flagSet struct {
	*flag.FlagSet
	faults []string
	needed []string
}

func newFlagSet(command string) *flagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return &flagSet{FlagSet: flags}
}

// checkedFlag hands a value to take, and what take says against it to fault.
type checkedFlag struct {
	preset string
	take   func(value string) error
	fault  func(err error)
}

func (c *checkedFlag) String() string { return c.preset }

func (c *checkedFlag) Set(value string) error {
	if err := c.take(value); err != nil {
		c.fault(err)
	}
	return nil
}

// check registers a flag whose values take keeps or refuses. It may be given
// more than once; preset is only shown.
func (f *flagSet) check(name, preset, usage string, take func(value string) error) {
	fault := func(err error) { f.faults = append(f.faults, "-"+name+": "+err.Error()) }
	f.Var(&checkedFlag{preset, take, fault}, name, usage)
}

// whole registers a whole number from low to high.
func (f *flagSet) whole(name string, preset, low, high int, usage string) *int {
	n := preset
	f.check(name, strconv.Itoa(preset), usage, func(value string) (err error) {
		if n, err = strconv.Atoi(value); err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", value, low, high)
		}
		return nil
	})
	return &n
}

// pause registers a duration that may be 0, which it is where it isn't given.
func (f *flagSet) pause(name, usage string) *time.Duration {
	var d time.Duration
	f.check(name, "", usage, func(value string) (err error) {
		d, err = parseSpan(value)
		return err
	})
	return &d
}

// require says which flags, those that are plain text, must not stay empty.
func (f *flagSet) require(names ...string) { f.needed = append(f.needed, names...) }

// read parses the arguments and gives all that is wrong with them, or
// flag.ErrHelp where they ask for help.
func (f *flagSet) read(args []string) (faults []string, err error) {
	if err := f.Parse(args); err == flag.ErrHelp {
		return nil, err
	} else if err != nil {
		return append(f.faults, flagFault(err, f.FlagSet)), nil
	}
	for _, name := range f.needed {
		if f.Lookup(name).Value.String() == "" {
			f.faults = append(f.faults, "-"+name+" is required")
		}
	}
	if f.NArg() > 0 && f.Name() != "help" {
		f.faults = append(f.faults, fmt.Sprintf("%q is one word too many; values are given to flags, as -name value", f.Arg(0)))
	}
	return f.faults, nil
}
