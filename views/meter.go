package views

// MeterView is a use against its limit.
type MeterView struct {
	Label            string // for screen readers
	Value, Peak, Max float64
	Tone             string // "" fine, "warn" close or waiting, "bad" refusing; empty with 80 % used becomes warn
	Left, Right      string // words below: "386 now", "peak 612"
}

func (m MeterView) tone() string {
	if m.Tone == "" && m.Max > 0 && m.Value >= 0.8*m.Max {
		return "warn"
	}
	return m.Tone
}

func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(max(100*part/whole, 0), 100)
}
