package views

import "time"

// Searched is how far a search came that looked at many rows for few and ended
// before its page was full; GoOn is empty where it ended by itself.
type Searched struct {
	Of   string // what was searched: "deliveries"
	To   time.Time
	Back bool   // towards older ones
	GoOn string // the address where it goes on
}

// words say how far it came.
func (s Searched) words(now time.Time) string {
	at := s.To.UTC().Format("15:04")
	if day := s.To.UTC().Format("2 Jan"); day != now.UTC().Format("2 Jan") {
		at = day + ", " + at
	}
	if s.Back {
		return "Searched back to " + at + "."
	}
	return "Searched up to " + at + "."
}

func (s Searched) more() string {
	if s.Back {
		return "Few of many match; older " + s.Of + " may match too."
	}
	return "Few of many match; newer " + s.Of + " may match too."
}
