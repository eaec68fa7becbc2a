package handlers

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestADeliveryOfAProbedWebhookSaysWhoseTurnItIs(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		_, first := s.event("call.ended", `{}`)
		s.answer(http.StatusServiceUnavailable)
		for range 9 {
			s.event("call.ended", `{}`)
		}
		s.answer(http.StatusServiceUnavailable)
		_, last := s.event("call.ended", `{}`)
		b := s.signedIn(store.RoleViewer)
		page := func(id uuid.UUID) string {
			return plain(b.get(deliveryPath(id)).wants(t, http.StatusOK).dom(t), "#delivery")
		}
		has(t, page(first), "Probing since ", ": one delivery at a time is tried until one succeeds.", "This one is next: it is the oldest that waits.", "Next probe",
			"one goes at a time Attempt 2 held", "as the next probe", "If it fails, the probes go on with others by turns.")
		waits := page(last)
		has(t, waits, "This one waits its turn: the oldest goes next.", "one goes at a time Attempt 1 held waits its turn", "until a probe succeeds", "Attempt 2 when its turn comes")
		if strings.Contains(waits, "as the next probe") {
			t.Errorf("the newest is said to be next: %s", waits)
		}
	})
}

func TestTheTimeLineSaysWhatHeldADelivery(t *testing.T) {
	at := time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)
	attempt := func(number int, after time.Duration) store.Attempt {
		return store.Attempt{Number: number, StartedAt: store.At(at.Add(after)), StatusCode: 503, Error: "status"}
	}
	late := []store.Attempt{attempt(1, 0), {Number: 2, StartedAt: store.At(at.Add(15 * time.Minute)), StatusCode: 200}}
	over := func(since, until time.Duration) probing { return probing{at.Add(since), at.Add(until)} }
	unknown := func(until time.Duration) probing { return probing{until: at.Add(until)} }
	for _, tt := range []struct {
		name     string
		attempts []store.Attempt
		want     string
		probings []probing
	}{
		{"by the schedule", []store.Attempt{attempt(1, 0), attempt(2, 6*time.Second), attempt(3, 78*time.Second)}, "Published; Attempt 1 at once; Attempt 2 after 6 s; Attempt 3 after 1 min 12 s", nil},
		{"long before", []store.Attempt{attempt(1, 0), attempt(2, 15*time.Minute)}, "Published; Attempt 1 at once; Attempt 2 after 15 min later than planned", nil},
		{"from the first", []store.Attempt{attempt(1, time.Hour)}, "Published; Attempt 1 after 1 h later than planned", nil},
		{
			"a probe",
			[]store.Attempt{attempt(1, 0), attempt(2, 12*time.Minute)},
			"Published; Attempt 1 at once; Probing since 14:01:00 one goes at a time; Attempt 2 after 12 min as a probe",
			[]probing{{since: at.Add(time.Minute)}},
		},
		{"after a probing", late, "Published; Attempt 1 at once; Attempt 2 after 15 min probed until 14:14:00", []probing{unknown(14 * time.Minute), unknown(2 * time.Hour)}},
		{
			"after a probing that is known whole", late, "Published; Attempt 1 at once; Probing since 14:01:00 until 14:14:00; Attempt 2 after 15 min probed until 14:14:00",
			[]probing{over(time.Minute, 14*time.Minute)},
		},
		{
			"probed and then held",
			[]store.Attempt{attempt(1, 0), attempt(2, 5*time.Minute), late[1]},
			"Published; Attempt 1 at once; Probing since 14:01:00 until 14:14:00; Attempt 2 after 5 min as a probe; Attempt 2 after 10 min probed until 14:14:00",
			[]probing{over(time.Minute, 14*time.Minute)},
		},
		{
			"ended a probing", late, "Published; Attempt 1 at once; Probing since 14:01:00 until 14:15:01; Attempt 2 after 15 min as the probe that succeeded",
			[]probing{over(time.Minute, 15*time.Minute+time.Second)},
		},
		{"ended one of unknown beginning", late, "Published; Attempt 1 at once; Attempt 2 after 15 min as the probe that succeeded", []probing{unknown(15*time.Minute + time.Second)}},
		{"long after a probing", late, "Published; Attempt 1 at once; Attempt 2 after 15 min later than planned", []probing{unknown(-time.Minute)}},
		{"waits behind a probe", []store.Attempt{attempt(1, 0)}, "Published; Attempt 1 at once; Probing since 14:02:00 one goes at a time", []probing{{since: at.Add(2 * time.Minute)}}},
		{"came while probed", nil, "Published; Probing since 14:00:00 one goes at a time", []probing{{since: at.Add(time.Nanosecond)}}},
	} {
		s := &deliveryStory{
			Delivery: &store.Delivery{Status: store.Pending, Held: store.HeldProbing, Attempts: len(tt.attempts), MaxAttempts: 6, CreatedAt: store.At(at)},
			attempts: tt.attempts, limits: store.DefaultLimits(), probings: tt.probings,
		}
		var past []string
		for _, step := range s.steps(at.Add(2 * time.Hour)) {
			if step.Kind == "next" {
				break
			}
			if step.Title != "Probing" {
				step.Lines = step.Lines[1:] // without the time of day
			}
			past = append(past, strings.Join(append([]string{step.Title}, step.Lines...), " "))
		}
		if got := strings.Join(past, "; "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// siteOfThePast is a site with a webhook whose store lives so long ago, until it is
// brought to now.
func siteOfThePast(t *testing.T, ago time.Duration) (s *site, toNow func()) {
	t.Helper()
	var behind atomic.Int64
	behind.Store(int64(ago))
	s = newSite(t, storetest.SQLite(t), func(o *store.Options) {
		o.Now = func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
	})
	s.addHook("https://one.example/hook")
	return s, func() { behind.Store(0) }
}

func TestADeliveryThatWaitedForAProbeSaysUntilWhen(t *testing.T) {
	t.Parallel()
	s, toNow := siteOfThePast(t, 20*time.Minute)
	for range 10 {
		s.event("call.ended", `{}`)
	}
	s.answer(http.StatusServiceUnavailable)
	_, waits := s.event("call.ended", `{}`)
	toNow()
	s.answer(http.StatusOK) // the probe
	s.answer(http.StatusOK)
	steps := s.signedIn(store.RoleViewer).get(deliveryPath(waits)).dom(t).Find(".timeline")
	has(t, strings.Join(strings.Fields(steps.Text()), " "), "after 20 min", "Probing since ", "until ", "probed until ")
}

func TestADeliveryThatFailedWhileItsEndpointIsProbedSaysWhichAttemptWasAProbe(t *testing.T) {
	t.Parallel()
	s, toNow := siteOfThePast(t, 20*time.Minute)
	_, before := s.event("call.ended", `{}`)
	s.failed(0)
	_, probe := s.event("call.ended", `{}`)
	for range 9 {
		s.event("call.ended", `{}`)
	}
	s.answer(http.StatusServiceUnavailable)
	toNow()
	s.failed(0) // the oldest, as the probe
	b := s.signedIn(store.RoleViewer)
	story := func(id uuid.UUID) string { return plain(b.get(deliveryPath(id)).dom(t), ".timeline") }
	has(t, story(probe), "one goes at a time Attempt 2 503", "as a probe", "Failed")
	if said := story(before); strings.Contains(said, "Probing") {
		t.Errorf("one that failed before the probing is told of it: %s", said)
	}
}
