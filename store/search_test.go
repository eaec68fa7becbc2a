package store

import (
	"testing"
	"time"
)

func TestASearchTakesTheStepsThatItsTimeAllowsFor(t *testing.T) {
	for _, c := range []struct {
		what         string
		step, looked int
		spent        time.Duration
		want         int
	}{
		{"from memory, a step of 200 takes 1 ms: the next one doubles", 200, 200, time.Millisecond, 400},
		{"in no time at all", 200, 200, 0, 400},
		{"from a disk, 600 rows took 50 ms: 100 ms are left for as many more", 400, 600, 50 * time.Millisecond, 800},
		{"1400 rows took 100 ms: half as many fit", 800, 1400, 100 * time.Millisecond, 700},
		{"a long step may be the first one from a disk", 1000, 5400, 10 * time.Millisecond, 1000},
		{"less than a first step would fit", 800, 1400, 145 * time.Millisecond, 0},
		{"the time is over", 200, 200, time.Second, 0},
	} {
		if got := nextStep(c.step, c.looked, c.spent); got != c.want {
			t.Errorf("%s: %d rows come next, want %d", c.what, got, c.want)
		}
	}
}
