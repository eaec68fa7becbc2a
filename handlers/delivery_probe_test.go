package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"belfry/store"
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
		has(t, waits, "This one waits its turn: the oldest goes next.", "one goes at a time Attempt 1 held waits its turn", "until a probe succeeds")
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
	for _, tt := range []struct {
		name     string
		since    time.Duration // of a probing; 0: none
		attempts []store.Attempt
		want     string
	}{
		{"by the schedule", 0, []store.Attempt{attempt(1, 0), attempt(2, 6*time.Second), attempt(3, 78*time.Second)}, "Published; Attempt 1 at once; Attempt 2 after 6 s; Attempt 3 after 1 min 12 s"},
		{"long before", 0, []store.Attempt{attempt(1, 0), attempt(2, 15*time.Minute)}, "Published; Attempt 1 at once; Attempt 2 after 15 min held meanwhile"},
		{"from the first", 0, []store.Attempt{attempt(1, time.Hour)}, "Published; Attempt 1 after 1 h held meanwhile"},
		{
			"a probe", time.Minute,
			[]store.Attempt{attempt(1, 0), attempt(2, 12*time.Minute)},
			"Published; Attempt 1 at once; Probing since 14:01:00 one goes at a time; Attempt 2 after 12 min as a probe",
		},
		{"waits behind a probe", 2 * time.Minute, []store.Attempt{attempt(1, 0)}, "Published; Attempt 1 at once; Probing since 14:02:00 one goes at a time"},
		{"came while probed", time.Nanosecond, nil, "Published; Probing since 14:00:00 one goes at a time"},
	} {
		s := &deliveryStory{
			Delivery: &store.Delivery{Status: store.Pending, Held: store.HeldProbing, Attempts: len(tt.attempts), MaxAttempts: 6, CreatedAt: store.At(at)},
			attempts: tt.attempts, limits: store.DefaultLimits(),
		}
		if tt.since != 0 {
			s.probe = store.Probe{Since: store.Time{Time: at.Add(tt.since)}}
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
