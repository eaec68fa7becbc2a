package main

import (
	"errors"
	"io"
	"sync"
	"time"
)

const (
	// logPause is how long after a write to the log the next one may be.
	logPause = 10 * time.Millisecond
	// logGathered is how many bytes gather meanwhile at most.
	logGathered = 64 << 10
)

// logWriter passes on log lines: one that comes alone at once, those that come
// fast together. A busy server logs thousands of attempts a second, and a write
// for each would cost as much as its text. Close writes what is left.
type logWriter struct {
	w io.Writer

	mu    sync.Mutex
	lines []byte
	pause *time.Timer // nil: none has passed since the last write
	err   error       // of a write that nobody waited for
}

// Write takes whole lines. An error may be one of lines before these.
func (l *logWriter) Write(lines []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, lines...)
	if l.pause == nil {
		l.passLocked()
		l.pause = time.AfterFunc(logPause, l.next)
	} else if len(l.lines) >= logGathered {
		l.passLocked()
	}
	err := l.err
	l.err = nil
	return len(lines), err
}

// next writes what came during a pause, and then pauses again.
func (l *logWriter) next() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		l.pause = nil
		return
	}
	l.passLocked()
	l.pause.Reset(logPause)
}

func (l *logWriter) passLocked() {
	_, err := l.w.Write(l.lines)
	l.lines, l.err = l.lines[:0], errors.Join(l.err, err)
}

// Close writes what is left.
func (l *logWriter) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passLocked()
	return l.err
}
