package main

import "flag"

// torture makes the tests of the worst day as long as `make torture` wants them.
var torture = flag.Bool("torture", false, "run the tests of the worst day in their long form")

// sized gives the size that a test of the worst day has in the form that runs.
func sized[T any](short, long T) T {
	if *torture {
		return long
	}
	return short
}
