package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"belfry/worker/signature"
)

// speedSender makes requests over kept connections and counts what was refused.
type speedSender struct {
	client    *http.Client
	want      int // the status of an answer that is no refusal
	refused   atomic.Int64
	mu        sync.Mutex
	complaint string
}

func newSpeedSender(connections, want int) *speedSender {
	return &speedSender{want: want, client: &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
		},
	}}
}

func (s *speedSender) post(url string, header http.Header, body []byte) {
	err := s.try(url, header, body)
	if err == nil {
		return
	}
	s.refused.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complaint = err.Error()
}

func (s *speedSender) try(url string, header http.Header, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	answer, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != s.want {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// each makes calls as many goroutines as there are connections, and measures.
// do makes the call of that number.
func (s *speedSender) each(connections, calls int, do func(call int)) speedDone {
	var next atomic.Int64
	var all sync.WaitGroup
	started, used := time.Now(), ownCPU()
	for range connections {
		all.Go(func() {
			for call := int(next.Add(1)) - 1; call < calls; call = int(next.Add(1)) - 1 {
				do(call)
			}
		})
	}
	all.Wait()
	return speedDone{
		Seconds: time.Since(started).Seconds(), CPU: ownCPU() - used, StartedAt: started.UnixNano(),
		Refused: s.refused.Load(), Complaint: s.complaint,
	}
}

// load publishes events through the JSON API.
func (r speedRole) load() speedDone {
	s, per, started := newSpeedSender(r.Connections, http.StatusAccepted), max(1, r.Batch), time.Now()
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	return s.each(r.Connections, r.Requests/per, func(call int) {
		if r.PerSecond > 0 {
			time.Sleep(time.Until(started.Add(time.Duration(call) * time.Second / time.Duration(r.PerSecond))))
		}
		header := http.Header{"Authorization": {"Bearer " + r.Key}, "Content-Type": {"application/json"}}
		if r.Keys {
			header["Idempotency-Key"] = []string{r.Run + "-" + strconv.Itoa(call)}
		}
		buffer := buffers.Get().(*[]byte)
		*buffer = r.publication((*buffer)[:0], call)
		s.post(r.URL, header, *buffer)
		buffers.Put(buffer)
	})
}

// publication appends the body of one call.
func (r speedRole) publication(dst []byte, call int) []byte {
	now := time.Now()
	one := func(n int) {
		dst = append(append(append(dst, `{"event":"`...), r.Event...), `","data":`...)
		dst = append(speedData(dst, r.Run, n, now), '}')
	}
	if r.Batch == 0 {
		one(call)
		return dst
	}
	open := byte('[')
	for i := range r.Batch {
		dst = append(dst, open)
		one(call*r.Batch + i)
		open = ','
	}
	return append(dst, ']')
}

// floorSecret signs what the floor's sender posts.
const floorSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// floor posts what Belfry would post, each request signed like a delivery, and
// does nothing else: the least that deliveries cost.
func (r speedRole) floor() speedDone {
	s := newSpeedSender(r.Connections, http.StatusOK)
	return s.each(r.Connections, r.Requests, func(n int) {
		now := time.Now()
		data := speedData(make([]byte, 0, speedBytes), r.Run, n, now)
		body := signature.Body(make([]byte, 0, 2*speedBytes), r.Event, now.UTC().Format(time.RFC3339Nano), data, floorSecret)
		list, _ := signature.Headers(signature.Attempt{
			ID: uuid.Must(uuid.NewV7()).String(), Number: 1, At: now, Event: r.Event, Body: body, Secret: floorSecret,
		})
		header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Belfry/" + version()}, "Accept-Encoding": {"identity"}}
		for _, h := range list {
			header[h.Name] = []string{h.Value}
		}
		s.post(r.URL, header, body)
	})
}
