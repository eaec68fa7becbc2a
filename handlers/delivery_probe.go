package handlers

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"belfry/store"
	"belfry/store/uuid"
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

// probing is a time during which one delivery at a time of a webhook was tried.
type probing struct {
	since time.Time // zero: not known
	until time.Time // zero: it goes on
}

// holds says that the time is within it, as far as is known.
func (p probing) holds(at time.Time) bool {
	return !p.since.IsZero() && at.After(p.since) && (p.until.IsZero() || at.Before(p.until))
}

// probeStep is where a probing began, on the time line.
func probeStep(p probing, now time.Time) views.StepView {
	step := views.StepView{Kind: "done", Icon: "radar", Title: "Probing", Lines: []string{"since " + clock(p.since, now), "one goes at a time"}}
	if !p.until.IsZero() {
		step.Lines[1] = "until " + clock(p.until, now)
	}
	return step
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
// did not.
func (s *deliveryStory) lateWords(a *store.Attempt, before, now time.Time) string {
	late := s.late(a, before)
	for _, p := range s.probings {
		ended := a.Error == "" && p.until.After(a.StartedAt.Time) && p.until.Before(a.StartedAt.Add(a.Duration+recordedIn))
		switch {
		case ended && (late || p.holds(a.StartedAt.Time)):
			return "as the probe that succeeded"
		case p.holds(a.StartedAt.Time):
			return "as a probe"
		case late && p.until.After(before) && !p.until.After(a.StartedAt.Time):
			return "probed until " + clock(p.until, now)
		}
	}
	if late {
		return "later than planned"
	}
	return ""
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

// pastProbings are those of the delivery's webhook that a success ended, from
// the delivery's beginning to its last attempt, oldest first.
func (h *Handlers) pastProbings(ctx context.Context, d *store.Delivery) ([]probing, error) {
	page, err := h.store.Events(ctx, d.AccountID, store.EventFilter{
		Type: "webhook.recovered", From: d.CreatedAt.Time, To: d.LastAttemptAt.Add(time.Minute), Limit: 100,
	})
	var past []probing
	for i := range page.List {
		var of struct {
			WebhookID uuid.UUID `json:"webhook_id"`
			Since     time.Time `json:"probing_since"`
		}
		if json.Unmarshal(page.List[i].Data, &of) == nil && of.WebhookID == d.WebhookID && of.Since.Before(d.LastAttemptAt.Time) {
			past = append(past, probing{since: of.Since, until: page.List[i].CreatedAt.Time})
		}
	}
	slices.Reverse(past)
	return past, err
}
