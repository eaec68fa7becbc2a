package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// turns is how long the threads of this process ran, and how long they waited
// for a processor that others had. Linux tells it, see schedstats in its
// documentation of the scheduler; elsewhere both are 0.
type turns struct{ ran, waited time.Duration }

func processorTurns(t *testing.T) (sum turns) {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*/schedstat")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has just ended
		}
		var one turns
		if _, err := fmt.Sscan(string(text), &one.ran, &one.waited); err != nil {
			t.Fatalf("%s: %q: %v", thread, text, err)
		}
		sum.ran, sum.waited = sum.ran+one.ran, sum.waited+one.waited
	}
	return sum
}

// stretchSince is how many times as long work took as it would have with
// processors that nobody else wants.
func (s turns) stretchSince(before turns) float64 {
	ran, waited := s.ran-before.ran, s.waited-before.waited
	if ran <= 0 || waited < 0 {
		return 1
	}
	return float64(ran+waited) / float64(ran)
}
