package main

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
)

// gate lets an endpoint answer, or holds it back. The zero gate is open.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed when the gate opens; nil while it is open
}

// holdBack leaves requests without an answer from now on.
func (g *gate) holdBack() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

// letGo answers what is held back, and all that comes.
func (g *gate) letGo() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// wait holds a request back until letGo, and says whether somebody still waits
// for its answer then.
func (g *gate) wait(req *http.Request) bool {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut == nil {
		return true
	}
	select {
	case <-shut:
		return true
	case <-req.Context().Done():
		return false
	}
}

// readEvent reads a delivery, and the id in its event's data. It fails where the
// process was killed while it sent.
func readEvent(req *http.Request) (body []byte, id string, err error) {
	if body, err = io.ReadAll(req.Body); err != nil {
		return nil, "", err
	}
	var event struct{ Data struct{ ID string } }
	err = json.Unmarshal(body, &event)
	return body, event.Data.ID, err
}
