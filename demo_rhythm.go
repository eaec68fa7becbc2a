package main

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// The sample product's traffic: demoRate events an hour at its busiest time of
// day, which the demo takes for now wherever and whenever it is started, so that
// what comes live goes on where the past ends.
const (
	demoRate = 240
	demoDays = 30
	demoPast = demoDays*24*time.Hour - 20*time.Minute // less than what retention keeps
	demoNoon = 11                                     // the hour of the day that now is taken for
)

// demoLevel says how busy the product was so long ago, as a part of demoRate:
// days and nights, quiet weekends but for today, more from week to week.
func demoLevel(ago time.Duration, today time.Weekday) float64 {
	hours := demoNoon - ago.Hours()
	day := math.Floor(hours / 24)
	hour := hours - 24*day
	level := 0.06 + 0.94*math.Max(bell(hour, 10.8, 2.9), 0.92*bell(hour, 15.6, 2.3))
	if weekday := time.Weekday(int(today)+int(day)+7*6) % 7; day < 0 && (weekday == time.Saturday || weekday == time.Sunday) {
		level *= 0.55
	}
	wobble := 1 + 0.12*math.Sin(day*2.4) + 0.05*math.Sin(hours*3.1)
	young := 1 - float64(ago)/float64(demoPast)
	growth := 0.15 + 0.85*young*young
	if day == 0 {
		wobble, growth = 1+0.05*math.Sin((hours-demoNoon)*3.1), 1
	}
	return level * wobble * growth
}

// bell is 1 at the middle and falls off to both sides.
func bell(x, middle, width float64) float64 {
	return math.Exp(-(x - middle) * (x - middle) / (width * width))
}

// pastClock is the clock of a store that is told its past. While it runs, each
// look at it comes as long after the last one as one event came after another;
// else it stands.
type pastClock struct {
	mu   sync.Mutex
	at   time.Time
	end  time.Time
	pace float64 // how many events come for each look; 0: it stands
	rand *rand.Rand
}

// looksBeside is how often a store that publishes looks at its clock besides
// once for each event.
const looksBeside = 2

func newPastClock(end time.Time, past time.Duration, seed uint64) *pastClock {
	return &pastClock{at: end.Add(-min(past, demoPast)), end: end, rand: rand.New(rand.NewPCG(seed, 1))}
}

// Now is what the clock shows; it never shows more than the end.
func (c *pastClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pace > 0 {
		wait := c.pace * c.rand.ExpFloat64() / (demoRate * demoLevel(c.end.Sub(c.at), c.end.Weekday()))
		c.at = c.at.Add(time.Duration(wait * float64(time.Hour)))
		if c.at.After(c.end) {
			c.at = c.end
		}
	}
	return c.at
}

// run lets the clock run while publish publishes so many events.
func (c *pastClock) run(events int, publish func() error) error {
	c.set(float64(events) / float64(events+looksBeside))
	defer c.set(0)
	return publish()
}

func (c *pastClock) set(pace float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pace = pace
}

// ago is how long before the end the clock stands.
func (c *pastClock) ago() time.Duration { return c.end.Sub(c.Now()) }
