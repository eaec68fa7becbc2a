package store

import (
	"sync"

	"belfry/store/uuid"
)

// Change says that something is no longer as it was. It tells what to look at
// again, not how it is now.
type Change struct {
	// Kind is "delivery", "webhook", "event", "resend", "account" or "inbox".
	Kind string `json:"k"`
	// AccountID owns what changed; the zero id means every account.
	AccountID uuid.UUID `json:"a"`
	// ID is the delivery, webhook, event or run; the zero id means several.
	ID uuid.UUID `json:"i"`
	// WebhookID is the delivery's webhook; the zero id for a test to a free URL.
	WebhookID uuid.UUID `json:"w"`
	// Due says that a worker may find something to claim.
	Due bool `json:"d,omitempty"`
}

// The kinds of change.
const (
	ChangeDelivery = "delivery"
	ChangeWebhook  = "webhook"
	ChangeEvent    = "event"
	ChangeResend   = "resend"
	ChangeAccount  = "account"
	ChangeInbox    = "inbox"
)

// bell fans changes out to listeners. A listener that does not keep up loses
// changes and is told so, never waited for.
type bell struct {
	mu        sync.Mutex
	listeners map[*Listener]struct{}
	closed    bool
}

// Listener hears changes until it is closed.
type Listener struct {
	// C carries the changes; it is closed with the store.
	C chan Change
	// Lost holds a token when changes were dropped: look at everything again.
	Lost chan struct{}
	bell *bell
	want func(Change) bool
}

func newBell() *bell { return &bell{listeners: map[*Listener]struct{}{}} }

// Changes returns a listener for the changes that want accepts (nil: all). It
// must be closed after use.
func (s *Store) Changes(want func(Change) bool) *Listener {
	l := &Listener{C: make(chan Change, 256), Lost: make(chan struct{}, 1), bell: s.bell, want: want}
	s.bell.mu.Lock()
	defer s.bell.mu.Unlock()
	if s.bell.closed {
		close(l.C)
		return l
	}
	s.bell.listeners[l] = struct{}{}
	return l
}

// Close ends the listening; C is not closed by it.
func (l *Listener) Close() {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	delete(l.bell.listeners, l)
}

func (b *bell) ring(changes []Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		for _, c := range changes {
			if l.want == nil || l.want(c) {
				l.hear(c)
			}
		}
	}
}

func (l *Listener) hear(c Change) {
	select {
	case l.C <- c:
	default:
		select {
		case l.Lost <- struct{}{}:
		default:
		}
	}
}

func (b *bell) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for l := range b.listeners {
		close(l.C)
		delete(b.listeners, l)
	}
}

// heard passes on what another process changed.
func (s *Store) heard(c Change) {
	s.bell.ring([]Change{c})
}
