package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ticksPerSecond is the unit of times in /proc, the same on all Linux machines.
const ticksPerSecond = 100

// family is a process and its children.
type family int

// stat is what /proc tells of a process's parent and CPU time, in ticks, with
// that of children that have ended.
func stat(pid int) (parent, ticks int, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if err != nil || len(fields) < 15 {
		return 0, 0, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(fields[i])
		return n
	}
	return number(1), number(11) + number(12) + number(13) + number(14), true
}

// each calls f for the process and each of its children.
func (p family) each(f func(pid, ticks int)) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		if parent, ticks, ok := stat(pid); ok && (pid == int(p) || parent == int(p)) {
			f(pid, ticks)
		}
	}
}

// cpu is the CPU time used so far, in seconds.
func (p family) cpu() float64 {
	sum := 0
	p.each(func(_, ticks int) { sum += ticks })
	return float64(sum) / ticksPerSecond
}

// memory is what the family holds, in MB: of a single process its resident set;
// of several the sum of their shares, in which pages shared count once.
func (p family) memory() float64 {
	var sum, members float64
	p.each(func(pid, _ int) {
		sum += memoryOf(pid, "smaps_rollup", "Pss:")
		members++
	})
	if members == 1 {
		return memoryOf(int(p), "status", "VmRSS:")
	}
	return sum
}

// memoryOf reads one line of a file of /proc, in MB.
func memoryOf(pid int, file, line string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	_, rest, _ := strings.Cut(string(text), line)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseFloat(fields[0], 64)
	return kb * 1024 / 1e6
}

// speedWatch follows families while something is measured.
type speedWatch struct {
	families map[string]family
	before   map[string]float64   // CPU
	memory   map[string][]float64 // twice a second
	stop     chan struct{}
	stopped  sync.WaitGroup
}

func watchSpeed(families map[string]family) *speedWatch {
	w := &speedWatch{families: families, before: map[string]float64{}, memory: map[string][]float64{}, stop: make(chan struct{})}
	for name, p := range families {
		w.before[name] = p.cpu()
	}
	w.stopped.Go(func() {
		look := time.NewTicker(time.Second / 2)
		defer look.Stop()
		for {
			for name, p := range families {
				w.memory[name] = append(w.memory[name], p.memory())
			}
			select {
			case <-look.C:
			case <-w.stop:
				return
			}
		}
	})
	return w
}

// finish gives the CPU seconds of each family.
func (w *speedWatch) finish() map[string]float64 {
	close(w.stop)
	w.stopped.Wait()
	used := map[string]float64{}
	for name, p := range w.families {
		used[name] = p.cpu() - w.before[name]
	}
	return used
}

// machine describes what a measurement ran on.
func machine(t testing.TB) string {
	t.Helper()
	cpus, err := os.ReadFile("/proc/cpuinfo")
	kernel, errKernel := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil || errKernel != nil {
		t.Fatal(err, errKernel)
	}
	_, model, _ := strings.Cut(string(cpus), "model name")
	model, _, _ = strings.Cut(strings.TrimLeft(model, "\t :"), "\n")
	return fmt.Sprintf("%s, %d cores, %.0f GB, Linux %s, %s", model, runtime.NumCPU(),
		memoryTotal(), strings.TrimSpace(string(kernel)), runtime.Version())
}

// memoryTotal is the machine's memory in GB.
func memoryTotal() float64 {
	text, _ := os.ReadFile("/proc/meminfo")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	kb, _ := strconv.ParseFloat(fields[1], 64)
	return kb * 1024 / 1e9
}
