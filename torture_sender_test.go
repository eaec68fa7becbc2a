package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A load is several connections that publish one event or a batch after the
// other. What is not accepted is published again under the same idempotency
// key, so that in the end all of it is.
const (
	loadConnections = 6
	loadBatch       = 10 // events of every third call
	loadPause       = 10 * time.Millisecond
	loadPatience    = 3 * time.Second // for one answer
)

// sender is a load under way.
type sender struct {
	ledger *ledger
	key    string
	client *http.Client
	urls   atomic.Pointer[[]string] // where the program serves now
	last   chan struct{}            // closed: begin no new event
	all    sync.WaitGroup

	unavailable atomic.Int64 // answers of 503
	diskFull    atomic.Int64 // those of them that say why
	took        atomic.Int64 // accepted calls
}

// load publishes until finish is called.
func load(t *testing.T, l *ledger, key string, urls ...string) *sender {
	t.Helper()
	s := &sender{ledger: l, key: key, last: make(chan struct{}), client: &http.Client{
		Timeout: loadPatience, Transport: &http.Transport{MaxIdleConnsPerHost: loadConnections},
	}}
	s.to(urls...)
	for connection := range loadConnections {
		s.all.Go(func() { s.run(t.Context(), connection) })
	}
	return s
}

// to says where the program serves from now on.
func (s *sender) to(urls ...string) { s.urls.Store(&urls) }

// finish begins no new event and waits until all that were begun are accepted;
// somebody has to serve.
func (s *sender) finish(t *testing.T) {
	t.Helper()
	close(s.last)
	done := make(chan struct{})
	go func() { s.all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatalf("the last events were not accepted within %v", soon)
	}
}

func (s *sender) run(ctx context.Context, connection int) {
	for call := 0; ; call++ {
		ids := make([]string, 1, loadBatch)
		if call%3 == 0 {
			ids = ids[:loadBatch]
		}
		for i := range ids {
			ids[i] = fmt.Sprintf("%d-%d-%d", connection, call, i)
		}
		for try := connection; !s.publish(ctx, try, ids); try++ {
			if ctx.Err() != nil {
				return
			}
			time.Sleep(loadPause) // the pace of the load
		}
		select {
		case <-s.last:
			return
		case <-time.After(loadPause):
		}
	}
}

// publish makes one call and says whether the program answered for it.
func (s *sender) publish(ctx context.Context, try int, ids []string) bool {
	urls := *s.urls.Load()
	req, err := http.NewRequestWithContext(ctx, "POST", urls[try%len(urls)]+loadPath(ids), strings.NewReader(loadBody(ids)))
	if err != nil {
		s.ledger.fault("publish: %v", err)
		return true
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", ids[0])
	answer, err := s.client.Do(req)
	if err != nil {
		return false // nobody serves just now
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return false
	}
	return s.heed(answer, text, ids)
}

// heed takes an answer to a call: accepted, or said to be tried again.
func (s *sender) heed(answer *http.Response, text []byte, ids []string) bool {
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		if err := rightAnswer(text, ids); err != nil {
			s.ledger.fault("%s %s: %v", answer.Status, text, err)
		}
		s.ledger.accept(ids)
		s.took.Add(1)
		return true
	case http.StatusServiceUnavailable:
		s.unavailable.Add(1)
		if bytes.Contains(text, []byte("disk of the database is full")) {
			s.diskFull.Add(1)
		}
		if answer.Header.Get("Retry-After") == "" {
			s.ledger.fault("a 503 without Retry-After: %s", text)
		}
		return false
	}
	s.ledger.fault("publish: %s %s", answer.Status, text)
	return false
}

// rightAnswer checks that the answer speaks of as many events as were sent.
func rightAnswer(text []byte, ids []string) error {
	if len(ids) == 1 {
		text = []byte("[" + string(text) + "]")
	}
	var list []struct {
		ID         string
		Deliveries int
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list) != len(ids) || list[0].ID == "" || list[0].Deliveries == 0 {
		return errors.New("it does not answer for each event")
	}
	return nil
}

func loadPath(ids []string) string {
	if len(ids) == 1 {
		return "/api/v1/events"
	}
	return "/api/v1/events/batch"
}

func loadBody(ids []string) string {
	events := make([]string, len(ids))
	for i, id := range ids {
		events[i] = fmt.Sprintf(`{"event":"order.paid","data":{"id":%q}}`, id)
	}
	if len(events) == 1 {
		return events[0]
	}
	return "[" + strings.Join(events, ",") + "]"
}
