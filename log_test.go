package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// countedWrites counts what is written and how often.
type countedWrites struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	wrote  chan struct{}
}

func (c *countedWrites) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	select {
	case c.wrote <- struct{}{}:
	default:
	}
	return c.text.Write(p)
}

func (c *countedWrites) seen() (text string, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String(), c.writes
}

func TestALogLineThatComesAloneIsWrittenAtOnce(t *testing.T) {
	out := &countedWrites{}
	log := &logWriter{w: out}
	fmt.Fprintln(log, "first")
	if text, _ := out.seen(); text != "first\n" {
		t.Errorf("%q is written", text)
	}
}

func TestLogLinesThatComeFastShareAWriteAndNoneIsLost(t *testing.T) {
	out := &countedWrites{wrote: make(chan struct{}, 1)}
	log := &logWriter{w: out}
	var want strings.Builder
	for i := range 5000 {
		fmt.Fprintf(log, "line %d\n", i)
		fmt.Fprintf(&want, "line %d\n", i)
	}
	<-out.wrote // the first
	select {
	case <-out.wrote: // the rest, by itself
	case <-time.After(10 * time.Second):
		t.Fatal("what gathered is not written")
	}
	fmt.Fprintln(log, "last")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	text, writes := out.seen()
	if text != want.String()+"last\n" {
		t.Error("lines are missing, or are there twice")
	}
	if writes > 500 {
		t.Errorf("%d writes for 5000 lines", writes)
	}
}
