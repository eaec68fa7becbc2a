package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"belfry/store/storetest"
)

// speedSamples are figures by database, measurement and name, one a round.
type speedSamples map[[3]string][]float64

func (s speedSamples) add(kind, what, name string, value float64) {
	key := [3]string{kind, what, name}
	s[key] = append(s[key], value)
}

// last is the newest sample; 0: none.
func (s speedSamples) last(kind, what, name string) float64 {
	list := s[[3]string{kind, what, name}]
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1]
}

// median lies in the middle of all rounds; 0: not measured.
func (s speedSamples) median(kind, what, name string) float64 {
	list := slices.Sorted(slices.Values(s[[3]string{kind, what, name}]))
	if len(list) == 0 {
		return 0
	}
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// speedLine is one line of the table: what it says, what it should reach, and
// the text of a database's cell.
type speedLine struct {
	label, reach string
	cell         func(s speedSamples, kind string) string
}

// speedLines are the lines of the table, without those of a larger run.
func speedLines() []speedLine {
	return []speedLine{
		{"delivered/s, batches of 100 by API, fan-out 4", "0.40 of the floor", rateCell(batches)},
		{"accepted events/s in that", "", numberCell(batches, "accepted", "%.0f")},
		{"delivered/s, single events from 64 connections with `Idempotency-Key`, fan-out 1", "0.25 of the floor", rateCell(singles)},
		{"accepted events/s in that", "", numberCell(singles, "accepted", "%.0f")},
		{"publish → receipt at 50 events/s, p50 / p99", "3 / 12 ms", latencyCell},
		{"CPU seconds per 1000 deliveries, fan-out 4: Belfry / database / receiver / load generator", "", cpuCell(batches)},
		{"Belfry and database together, against the floor's sender", "5 ×", numberCell(batches, "cpu ratio", "%.1f ×")},
		{"CPU seconds per 1000 deliveries, single events: Belfry / database / receiver / load generator", "", cpuCell(singles)},
		{"Belfry and database together, against the floor's sender", "", numberCell(singles, "cpu ratio", "%.1f ×")},
		{"peak memory, batches: Belfry / database", "", memoryCell(batches)},
		{"peak memory, single events: Belfry / database", "", memoryCell(singles)},
		{"memory 60 s after a sign-in", "40 MB", numberCell(idle, "peak belfry", "%.0f MB")},
	}
}

// drainLines are those of draining n deliveries.
func drainLines(n int) []speedLine {
	return []speedLine{
		{fmt.Sprintf("delivered/s, draining %d after an outage of their endpoints", n), "0.35 of the floor", rateCell(draining)},
		{"peak memory in that: Belfry / database", "200 MB", memoryCell(draining)},
		{"Belfry's peak in each quarter of that", "flat", quarterCell},
	}
}

// besideLines are those of a larger run, with n deliveries of each kind beside.
func besideLines(n int) []speedLine {
	beside := fmt.Sprintf(" beside %d due and %d to come of other webhooks", n, n)
	return []speedLine{
		{"delivered/s, batches," + beside, "within 15 %", besideCell(batches)},
		{"delivered/s, single events," + beside, "within 15 %", besideCell(singles)},
	}
}

func numberCell(what, name, format string) func(speedSamples, string) string {
	return func(s speedSamples, kind string) string { return fmt.Sprintf(format, s.median(kind, what, name)) }
}

func rateCell(what string) func(speedSamples, string) string {
	return func(s speedSamples, kind string) string {
		return fmt.Sprintf("%.0f (%.2f of the floor)", s.median(kind, what, "delivered"), s.median(kind, what, "ratio"))
	}
}

// besideCell compares shares of the floor, so that the machine's mood counts
// less.
func besideCell(what string) func(speedSamples, string) string {
	return func(s speedSamples, kind string) string {
		change := s.median(kind, what+besideAll, "ratio")/s.median(kind, what, "ratio") - 1
		return rateCell(what+besideAll)(s, kind) + fmt.Sprintf(", %+.0f %%", 100*change)
	}
}

func latencyCell(s speedSamples, kind string) string {
	return fmt.Sprintf("%.1f / %.1f ms", s.median(kind, paced, "p50"), s.median(kind, paced, "p99"))
}

func cpuCell(what string) func(speedSamples, string) string {
	return func(s speedSamples, kind string) string {
		var parts []string
		for _, name := range []string{"cpu belfry", "cpu database", "cpu receiver", "cpu load"} {
			parts = append(parts, orDash("%.3f", s.median(kind, what, name)))
		}
		return strings.Join(parts, " / ")
	}
}

func memoryCell(what string) func(speedSamples, string) string {
	return func(s speedSamples, kind string) string {
		return orDash("%.0f", s.median(kind, what, "peak belfry")) + " / " + orDash("%.0f", s.median(kind, what, "peak database")) + " MB"
	}
}

func quarterCell(s speedSamples, kind string) string {
	var parts []string
	for quarter := range 4 {
		parts = append(parts, orDash("%.0f", s.median(kind, draining, fmt.Sprint("quarter ", quarter+1))))
	}
	return strings.Join(parts, " / ") + " MB"
}

// orDash formats what was measured; SQLite, for one, has no process.
func orDash(format string, value float64) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf(format, value)
}

// speedReportText is the page that a run prints and writes.
type speedReportText struct {
	machine    string
	postgres   string // its version
	durability map[string]string
	size       speedSize
	samples    speedSamples
	lines      []speedLine
	command    string
}

// markdown writes the page.
func (r speedReportText) markdown() string {
	s, b := r.samples, &strings.Builder{}
	floors := s[[3]string{"", theFloor, "delivered"}]
	fmt.Fprintf(b, "# Benchmarks\n\nWritten by `%s` on %s; not edited by hand. Figures are ratios against the floor of the same run:\nother machines have others.\n\n", r.command, time.Now().UTC().Format("2 January 2006"))
	fmt.Fprintf(b, "- Machine: %s. Belfry, its database, the receiver and the load generator share it.\n", r.machine)
	for _, kind := range []string{storetest.KindSQLite, storetest.KindPostgres} {
		fmt.Fprintf(b, "- %s, as `doctor` reads it back: %s.\n", title(kind), r.durability[kind])
	}
	fmt.Fprintf(b, "- Postgres %s with the settings it comes with, fsync among them, over a Unix socket.\n", r.postgres)
	fmt.Fprintf(b, "- The floor: the same signed requests from a bare Go loop to the same receiver, kept connections, 64 in flight. Median %.0f/s (%.0f to %.0f), CPU seconds per 1000: sender %.4f, receiver %.4f.\n",
		s.median("", theFloor, "delivered"), slices.Min(floors), slices.Max(floors), s.median("", theFloor, "cpu sender"), s.median("", theFloor, "cpu receiver"))
	fmt.Fprintf(b, "- Medians of %s, taken by turns on fresh databases, beside a backlog on one; draining and memory at rest are measured once. Each is held against the floors measured just before and after it. Data of %d bytes, limits of rate raised, all others as they come (16 requests in flight per webhook).\n\n", rounds(r.size.rounds), speedBytes)
	b.WriteString("| what | SQLite | Postgres | to reach |\n|---|---|---|---|\n")
	for _, line := range r.lines {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", line.label, line.cell(s, storetest.KindSQLite), line.cell(s, storetest.KindPostgres), line.reach)
	}
	b.WriteString("\nA delivery counts once it arrived, and each measurement fails unless every delivery arrived once and was recorded. Deliveries a second run from the first call\nto the last arrival; when draining, from the first arrival. Each begins once the disk has what was written before it. Memory is the resident set of Belfry, and what the processes of Postgres hold, pages shared counted once.\n")
	return b.String()
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprint(n, " rounds")
}

func title(kind string) string {
	if kind == storetest.KindSQLite {
		return "SQLite"
	}
	return "Postgres"
}
