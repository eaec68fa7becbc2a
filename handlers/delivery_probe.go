package handlers

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

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

// lateWords say why an attempt came later than the schedule has it; empty: it
// did not. Of a probing that is over only its end is known.
func (s *deliveryStory) lateWords(a *store.Attempt, before, now time.Time) string {
	if !s.probe.Since.IsZero() && a.StartedAt.After(s.probe.Since.Time) {
		return "as a probe"
	}
	if !s.late(a, before) {
		return ""
	}
	for _, end := range s.recovered {
		switch {
		case end.Before(before): // it ended long ago
		case !end.After(a.StartedAt.Time):
			return "probed until " + clock(end, now)
		case a.Error == "" && end.Before(a.StartedAt.Add(a.Duration+recordedIn)):
			return "as the probe that succeeded"
		}
	}
	return "later than planned"
}

const (
	// usualDelay is how much later than planned an attempt may go without anything
	// having held it, and recordedIn how long after an answer its record comes.
	usualDelay = 30 * time.Second
	recordedIn = 2 * time.Second
)

// late says that an attempt came much later than the schedule has it. When a
// resend was asked for is not known, nor what was planned before it.
func (s *deliveryStory) late(a *store.Attempt, before time.Time) bool {
	if s.ScheduleStart > 0 && a.Number <= s.ScheduleStart+1 {
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

// anyLate says that one of the attempts came late.
func (s *deliveryStory) anyLate() bool {
	before := s.CreatedAt.Time
	for i := range s.attempts {
		if s.late(&s.attempts[i], before) {
			return true
		}
		before = s.attempts[i].StartedAt.Time
	}
	return false
}

// recoveries are the times at which a success ended a probing of the delivery's
// webhook, from its beginning to its last attempt, newest first.
func (h *Handlers) recoveries(ctx context.Context, d *store.Delivery) ([]time.Time, error) {
	page, err := h.store.Events(ctx, d.AccountID, store.EventFilter{
		Type: "webhook.recovered", From: d.CreatedAt.Time, To: d.LastAttemptAt.Add(time.Minute), Limit: 100,
	})
	var ends []time.Time
	for i := range page.List {
		var of struct {
			WebhookID uuid.UUID `json:"webhook_id"`
		}
		if json.Unmarshal(page.List[i].Data, &of) == nil && of.WebhookID == d.WebhookID {
			ends = append(ends, page.List[i].CreatedAt.Time)
		}
	}
	return ends, err
}
