package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// speedSender makes requests over kept connections and counts what was refused.
type speedSender struct {
	transport *http.Transport
	want      int // the status of an answer that is no refusal
	refused   atomic.Int64
	mu        sync.Mutex
	complaint string
}

func newSpeedSender(connections, want int) *speedSender {
	return &speedSender{want: want, transport: &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
		DisableCompression: true, ResponseHeaderTimeout: 30 * time.Second,
	}}
}

func (s *speedSender) send(req *http.Request) {
	if err := s.try(req); err != nil {
		s.refused.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.complaint = err.Error()
	}
}

func (s *speedSender) try(req *http.Request) error {
	answer, err := s.transport.RoundTrip(req)
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

// each makes the calls on as many goroutines as there are connections, and
// measures. hand gives a goroutine what makes the call of a number.
func (s *speedSender) each(connections, calls int, hand func() func(call int)) speedDone {
	var next atomic.Int64
	var all sync.WaitGroup
	started, used := time.Now(), ownCPU()
	for range connections {
		all.Go(func() {
			do := hand()
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
	to, err := url.Parse(r.URL)
	if err != nil {
		return speedDone{Refused: int64(r.Requests), Complaint: err.Error()}
	}
	return s.each(r.Connections, r.Requests/per, func() func(int) {
		var body []byte
		header := http.Header{"Authorization": {"Bearer " + r.Key}, "Content-Type": {"application/json"}}
		return func(call int) {
			if r.PerSecond > 0 {
				time.Sleep(time.Until(started.Add(time.Duration(call) * time.Second / time.Duration(r.PerSecond))))
			}
			if r.Keys {
				header["Idempotency-Key"] = []string{r.Run + "-" + strconv.Itoa(call)}
			}
			body = r.publication(body[:0], call)
			s.send(&http.Request{
				Method: http.MethodPost, URL: to, Host: to.Host, Header: header,
				Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
			})
		}
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
