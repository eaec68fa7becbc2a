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

// more says that others than those found may match.
func (s Searched) more() string { return "Few of many match; " + s.beyond() }

// beyond says where something may match that was not found yet.
func (s Searched) beyond() string {
	if s.Back {
		return "older " + s.Of + " may match too."
	}
	return "newer " + s.Of + " may match too."
}
