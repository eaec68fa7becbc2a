package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

// demoMix says how often each type comes. The last is in no catalogue, and no
// webhook asks for it.
var demoMix = [...]struct {
	name  string
	share int
}{
	{"call.started", 5},
	{"call.ringing", 3},
	{"call.answered", 4},
	{"call.ended", 7},
	{"call.missed", 4},
	{"call.failed", 2},
	{"call.transferred", 1},
	{"call.voicemail_left", 3},
	{"call.transcript_ready", 3},
	{"call.recording_ready", 2},
	{"message.received", 5},
	{"message.sent", 4},
	{"message.delivered", 4},
	{"message.failed", 1},
	{"conversation.created", 2},
	{"conversation.updated", 2},
	{"conversation.closed", 2},
	{"agent.status_changed", 3},
	{"agent.connected", 1},
	{"agent.disconnected", 1},
	{surveyType, 1},
}

// surveyType is what the sample product publishes of its own.
const surveyType = "survey.completed"

// publishSteadily publishes events until ctx ends, so many a minute, as irregularly
// as things happen.
func publishSteadily(ctx context.Context, st *store.Store, account uuid.UUID, rate int, log *slog.Logger) {
	source := newEventSource(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		_, _, err := st.Publish(ctx, store.Publication{AccountID: account, Events: []store.NewEvent{source.next(time.Now())}, Batch: true})
		if err != nil && ctx.Err() == nil {
			log.Error("a sample event was refused", "error", err)
		}
		next.Reset(time.Duration(min(3, rand.ExpFloat64()) * float64(time.Minute) / float64(rate)))
	}
}

// demoSamples are the samples of the catalogue, and one of the product's own.
func demoSamples() map[string]string {
	samples := map[string]string{surveyType: `{"survey_id":"survey_123456","agent_id":"support-berlin","score":4}`}
	for _, t := range store.BuiltinEventTypes() {
		samples[t.Name] = string(t.Sample)
	}
	return samples
}

// eventSource makes events of all types, as often as each comes.
type eventSource struct {
	samples map[string]string
	total   int
	rand    *rand.Rand
}

func newEventSource(random *rand.Rand) *eventSource {
	s := &eventSource{samples: demoSamples(), rand: random}
	for _, m := range demoMix {
		s.total += m.share
	}
	return s
}

// next draws a type and fills its sample with other people and things.
func (s *eventSource) next(at time.Time) store.NewEvent {
	draw, name := s.rand.IntN(s.total), ""
	for _, m := range demoMix {
		if name = m.name; draw < m.share {
			break
		}
		draw -= m.share
	}
	return store.NewEvent{Type: name, Data: []byte(s.vary(s.samples[name], at))}
}

var (
	sampleTime  = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"`)
	sampleCount = regexp.MustCompile(`"(duration|ring_duration|message_count|score)":\d+`)
)

// vary puts new ids, people and numbers in the place of a sample's.
func (s *eventSource) vary(sample string, at time.Time) string {
	agents := []string{"support-berlin", "support-lisbon", "sales-oslo", "front-desk"}
	number := fmt.Sprintf("%06d", s.rand.IntN(1_000_000))
	sample = strings.NewReplacer("_123456", "_"+number,
		"support-berlin", agents[s.rand.IntN(len(agents))],
		"+15550100", fmt.Sprintf("+1555%04d", s.rand.IntN(10_000))).Replace(sample)
	sample = sampleTime.ReplaceAllString(sample, `"`+at.UTC().Format(time.RFC3339)+`"`)
	return sampleCount.ReplaceAllString(sample, fmt.Sprintf(`"$1":%d`, 1+s.rand.IntN(300)))
}
