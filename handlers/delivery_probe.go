package handlers

import (
	"strconv"
	"time"

	"belfry/store"
	"belfry/views"
)

// probed says that the delivery waits because its webhook is probed.
func (s *deliveryStory) probed() bool {
	return s.Status == store.Pending && s.Held == store.HeldProbing
}

// isNextProbe says that the next probe takes the delivery, as things are.
func (s *deliveryStory) isNextProbe() bool { return s.probe.Next == s.ID && !s.probe.UnderWay }

// whyProbed says why the delivery waits, and whether the next probe takes it.
func (s *deliveryStory) whyProbed(w views.WhyView) views.WhyView {
	w.Label, w.Bold = "Next probe", "Its endpoint is being probed: one delivery at a time is tried until one succeeds."
	if since := s.probe.Since; !since.IsZero() {
		w.Bold = "Probing since " + clock(since.Time, s.now) + ": one delivery at a time is tried until one succeeds."
	}
	w.Text = s.turnWords() + " After 10 failed attempts in a row a delivery waits longer than the schedule of retries says: one goes alone " + probeTimes() +
		", the oldest and the newest by turns. One success restores the endpoint, and all that waits follows; until then only the one that goes uses an attempt."
	if s.LastDetail != "" {
		w.Text = sentence(s.LastDetail) + " " + w.Text
	}
	return w
}

// turnWords say whose turn it is.
func (s *deliveryStory) turnWords() string {
	switch {
	case s.probe.UnderWay:
		return "Another one is being tried now; this one waits its turn."
	case s.isNextProbe() && s.probe.Newest:
		return "This one is next, unless a newer one comes before."
	case s.isNextProbe():
		return "This one is next: it is the oldest that waits."
	case s.probe.Newest:
		return "This one waits its turn: the newest goes next."
	}
	return "This one waits its turn: the oldest goes next."
}

// probeStep is where the probing began, on the time line.
func (s *deliveryStory) probeStep(now time.Time) views.StepView {
	return views.StepView{Kind: "done", Icon: "radar", Title: "Probing", Lines: []string{"since " + clock(s.probe.Since.Time, now), "one goes at a time"}}
}

// probeLines are below the attempt that waits for a probe.
func (s *deliveryStory) probeLines(now time.Time) []string {
	if s.isNextProbe() {
		return []string{clock(s.probe.At.Time, now), "as the next probe"}
	}
	return []string{"waits its turn", heldStep(s.Held)}
}

// nextProbe is the card of the probe to come: the delivery's own attempt, or
// that of another.
func (s *deliveryStory) nextProbe() *views.NextView {
	number := strconv.Itoa(s.Attempts + 1)
	n := &views.NextView{Title: "Next probe", When: s.HeldUntil.Time, Text: s.turnWords(), After: "Once a probe succeeds, attempt " + number + " of this delivery follows."}
	if s.isNextProbe() {
		n.Title, n.After = "Attempt "+number, "If it fails, the probes go on with others by turns. If it succeeds, all that waits follows."
	}
	return n
}

// wasProbe says that an attempt was the one that went while all others waited.
func (s *deliveryStory) wasProbe(a *store.Attempt) bool {
	return !s.probe.Since.IsZero() && a.StartedAt.After(s.probe.Since.Time)
}

// usualDelay is how much later than planned an attempt may go without anything
// having held it.
const usualDelay = 30 * time.Second

// waitedLong says that an attempt came much later than the schedule has it, so
// that something held the delivery: a probing that is over, a pause, the rate.
// When a resend was asked for is not known.
func (s *deliveryStory) waitedLong(a *store.Attempt, before time.Time) bool {
	if a.Number == s.ScheduleStart+1 && s.ScheduleStart > 0 {
		return false
	}
	planned := time.Duration(0)
	if a.Number > 1 {
		planned = s.scheduled(a.Number-1) * 6 / 5 // its jitter
		if i := s.numbered(a.Number - 1); i >= 0 {
			planned = max(planned, askedWait(&s.attempts[i]))
		}
	}
	return a.StartedAt.Sub(before) > planned+usualDelay
}
