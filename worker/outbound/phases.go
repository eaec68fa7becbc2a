package outbound

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// Phases is where the time of an exchange went. On a connection that was open already all but FirstByte are 0.
type Phases struct {
	DNS       time.Duration
	Connect   time.Duration
	TLS       time.Duration
	FirstByte time.Duration // from a usable connection to the first byte of the answer
	Reused    bool          // the connection was open already
}

// stage is how far an exchange got.
type stage int

const (
	stageLookup stage = iota
	stageConnect
	stageTLS
	stageAnswer
	stageBody
)

// trip is what a recorder saw.
type trip struct {
	phases Phases
	stage  stage
	remote string
}

// recorder takes the times of one exchange. Its hooks may run while, and even after, the exchange ends: hence the lock.
type recorder struct {
	mu                                  sync.Mutex
	seen                                trip
	lookup, connect, handshake, gotConn time.Time
}

// watch returns ctx with the recorder's hooks in it.
func (r *recorder) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { r.start(&r.lookup, stageLookup) },
		DNSDone:              func(httptrace.DNSDoneInfo) { r.stop(&r.seen.phases.DNS, &r.lookup) },
		ConnectStart:         func(_, _ string) { r.start(&r.connect, stageConnect) },
		ConnectDone:          func(_, _ string, err error) { r.connected(err) },
		TLSHandshakeStart:    func() { r.start(&r.handshake, stageTLS) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { r.stop(&r.seen.phases.TLS, &r.handshake) },
		GotConn:              func(got httptrace.GotConnInfo) { r.ready(got.Conn.RemoteAddr().String(), got.Reused) },
		GotFirstResponseByte: r.firstByte,
	})
}

// result returns what was seen until now.
func (r *recorder) result() trip {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

func (r *recorder) enter(s stage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.stage = max(r.seen.stage, s)
}

// start notes the first start of a phase: addresses of one name are tried side by side.
func (r *recorder) start(at *time.Time, s stage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.IsZero() && r.gotConn.IsZero() {
		*at, r.seen.stage = time.Now(), s
	}
}

func (r *recorder) connected(err error) {
	if err == nil {
		r.stop(&r.seen.phases.Connect, &r.connect)
	}
}

func (r *recorder) firstByte() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.phases.FirstByte = time.Since(r.gotConn)
}

func (r *recorder) stop(phase *time.Duration, since *time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if *phase == 0 && !since.IsZero() && r.gotConn.IsZero() {
		*phase = time.Since(*since)
	}
}

// ready: a connection is there. Where it was open already, a dial that began meanwhile is not this exchange's.
func (r *recorder) ready(remote string, reused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reused {
		r.seen.phases = Phases{Reused: true}
	}
	r.seen.stage, r.seen.remote, r.gotConn = stageAnswer, remote, time.Now()
}
