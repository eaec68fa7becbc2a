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
)

// demoBurst is how many events are there at once, so that no page is empty.
const demoBurst = 40

// demoMix says how often each type comes. The last is in no catalogue, and no
// webhook asks for it.
var demoMix = [...]struct {
	name  string
	share int
}{
	{"call.started", 5},
	{"call.ringing", 3},
	{"call.answered", 4},
	{"call.ended", 5},
	{"call.missed", 2},
	{"call.failed", 1},
	{"call.transferred", 1},
	{"call.voicemail_left", 1},
	{"call.transcript_ready", 3},
	{"call.recording_ready", 2},
	{"message.received", 5},
	{"message.sent", 4},
	{"message.delivered", 4},
	{"message.failed", 1},
	{"conversation.created", 2},
	{"conversation.updated", 2},
	{"conversation.closed", 2},
	{"agent.status_changed", 2},
	{surveyType, 1},
}

// surveyType is what the sample product publishes of its own.
const surveyType = "survey.completed"

// publishSteadily publishes events until ctx ends.
func publishSteadily(ctx context.Context, st *store.Store, account store.Account, rate int, log *slog.Logger) {
	samples := demoSamples()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for n := demoBurst; ; n = 1 {
		events := make([]store.NewEvent, n)
		for i := range events {
			events[i] = nextEvent(samples)
		}
		_, _, err := st.Publish(ctx, store.Publication{AccountID: account.ID, Events: events, Batch: true})
		if err != nil && ctx.Err() == nil {
			log.Error("a sample event was refused", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
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

// nextEvent draws a type and fills its sample with other people and things.
func nextEvent(samples map[string]string) store.NewEvent {
	total := 0
	for _, m := range demoMix {
		total += m.share
	}
	draw, name := rand.IntN(total), ""
	for _, m := range demoMix {
		if name = m.name; draw < m.share {
			break
		}
		draw -= m.share
	}
	return store.NewEvent{Type: name, Data: []byte(vary(samples[name]))}
}

var (
	sampleTime  = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"`)
	sampleCount = regexp.MustCompile(`"(duration|ring_duration|message_count|score)":\d+`)
)

// vary puts new ids, people and numbers in the place of a sample's.
func vary(sample string) string {
	agents := []string{"support-berlin", "support-lisbon", "sales-oslo", "front-desk"}
	number := fmt.Sprintf("%06d", rand.IntN(1_000_000))
	sample = strings.NewReplacer("_123456", "_"+number,
		"support-berlin", agents[rand.IntN(len(agents))],
		"+15550100", fmt.Sprintf("+1555%04d", rand.IntN(10_000))).Replace(sample)
	sample = sampleTime.ReplaceAllString(sample, `"`+time.Now().UTC().Format(time.RFC3339)+`"`)
	return sampleCount.ReplaceAllString(sample, fmt.Sprintf(`"$1":%d`, 1+rand.IntN(300)))
}
