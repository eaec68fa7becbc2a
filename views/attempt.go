package views

import "time"

// PhasesView is where the time of one attempt went. A phase that wasn't reached is nil; Reused says that the connection was
// kept alive from before.
type PhasesView struct {
	DNS, Connect, TLS, FirstByte, Body *time.Duration
	Total, Limit                       time.Duration
	Reused                             bool
}

// phaseRow is one row of the little chart.
type phaseRow struct {
	name, class, word string
	x, width          string
	drawn             bool
}

// rows places the phases behind one another on the attempt's own scale.
func (p PhasesView) rows() []phaseRow {
	phases := []struct {
		name, class string
		took        *time.Duration
		connecting  bool
	}{
		{"DNS", "dns", p.DNS, true},
		{"Connect", "connect", p.Connect, true},
		{"TLS", "tls", p.TLS, true},
		{"First byte", "first", p.FirstByte, false},
		{"Body", "body", p.Body, false},
	}
	out := make([]phaseRow, 0, len(phases))
	var start time.Duration
	for _, phase := range phases {
		row := phaseRow{name: phase.name, class: phase.class, word: "–"}
		switch {
		case p.Reused && phase.connecting:
			row.word = "re-used"
		case phase.took != nil:
			row.word, row.drawn = Duration(*phase.took), true
			width := max(share(float64(*phase.took), float64(p.Total)), 1)
			row.x = percent(min(share(float64(start), float64(p.Total)), 100-width))
			row.width = percent(width)
			start += *phase.took
		}
		out = append(out, row)
	}
	return out
}

func (p PhasesView) over() bool { return p.Limit > 0 && p.Total >= p.Limit }

// AttemptView is one attempt beside the others.
type AttemptView struct {
	Title   string // "Attempt 3"
	Outcome State
	Text    string // "Service Unavailable, Retry-After: 600"
	Phases  PhasesView
	When    time.Time
	Node    string
	Href    string
	Current bool
}

// StepView is one step of a delivery's time line.
type StepView struct {
	Kind   string // done, ok, bad, next, later
	Icon   string // in the ring; or Number
	Number int
	Title  string
	Word   string // behind the title: "503", "next"
	Lines  []string
	Lead   bool // the line behind it leads to the next attempt: accent
}

// ScheduleStep is one attempt of the retry schedule: the wait after it, its number and when it comes.
type ScheduleStep struct {
	Wait  string // "wait 5 s"; empty on the last
	Icon  string // instead of the number
	When  string // "1 min 5 s"
	Below string // "after publish"
}
