package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"belfry/store/uuid"
	"belfry/worker/outbound"
)

// demoReceiver is an endpoint of the sample account. It answers requests of the
// past and live ones by one rule.
type demoReceiver struct {
	host    string // within the demo's domain
	path    string
	at      netip.AddrPort // where it stands, of those of the past
	expired bool           // its certificate is
	typical time.Duration  // how long it takes; half of the answers take longer
	spread  float64        // of that time
	// downs are the times when it failed every request.
	downs []demoDown
	// answer says how it answers otherwise; nil: with a 200.
	answer func(q demoRequest) demoReply
}

// demoRequest is one request to a receiver, so long ago. Share is a number from
// 0 to 1 that is the same for all requests of a delivery.
type demoRequest struct {
	ago   time.Duration
	load  float64 // as demoLevel gives it
	share float64
	rand  *rand.Rand
}

// demoReply is an answer, or the kind of failure in the place of one.
type demoReply struct {
	code       int
	body       string
	retryAfter string
	kind       string
	slow       float64 // how many times the typical time it takes; 0: once
}

// demoDown is a time of failure, from the first moment that lies so long ago to
// the second.
type demoDown struct {
	from, to time.Duration
	reply    demoReply
}

var demoAccepted = demoReply{code: http.StatusOK, body: `{"received":true}`}

// away says whether it failed all requests so long ago.
func (r *demoReceiver) away(ago time.Duration) bool { return r.down(ago) != nil }

func (r *demoReceiver) down(ago time.Duration) *demoDown {
	for i := range r.downs {
		if d := &r.downs[i]; ago <= d.from && ago > d.to {
			return d
		}
	}
	return nil
}

// troubled says whether any receiver was away about so long ago.
func troubled(ago time.Duration) bool {
	for _, r := range demoReceivers() {
		if r.away(ago) || r.away(ago-time.Hour) || r.away(ago+time.Hour) {
			return true
		}
	}
	return false
}

// reply says how it answers, and how long that takes.
func (r *demoReceiver) reply(q demoRequest) (demoReply, time.Duration) {
	reply := demoAccepted
	if down := r.down(q.ago); down != nil {
		reply = down.reply
	} else if r.answer != nil {
		reply = r.answer(q)
	}
	times := math.Exp(r.spread*q.rand.NormFloat64()) * (0.85 + 0.3*q.load)
	if q.rand.IntN(150) == 0 {
		times *= 3
	}
	if reply.slow > 0 {
		times *= reply.slow
	}
	return reply, min(time.Duration(float64(r.typical)*times), 9*time.Second).Truncate(time.Microsecond)
}

// past is the answer to a request that began then, so long ago.
func (r *demoReceiver) past(start time.Time, ago time.Duration, delivery uuid.UUID, random *rand.Rand) outbound.Answer {
	reply, took := r.reply(demoRequest{ago: ago, load: demoLevel(ago, start.Add(ago).Weekday()), share: shareOf(delivery.String()), rand: random})
	a := outbound.Answer{StartedAt: start, Duration: took, RemoteAddress: r.at.String()}
	a.Phases.Reused = reply.kind != outbound.KindTLS && random.IntN(5) > 0
	if !a.Phases.Reused {
		part := func(least, more int) time.Duration { return time.Duration(least+random.IntN(more)) * time.Microsecond }
		a.Phases.DNS, a.Phases.Connect, a.Phases.TLS = part(100, 900), part(150, 400), part(2000, 6000)
		a.Duration += a.Phases.DNS + a.Phases.Connect + a.Phases.TLS
	}
	if reply.kind == outbound.KindTLS { // it ends there, before there is a connection to speak of
		a.Phases.TLS += took
		a.RemoteAddress = ""
	}
	if reply.kind != "" {
		a.Err = &outbound.Failure{Kind: reply.kind, Detail: reply.body}
		return a
	}
	a.Phases.FirstByte = took * 97 / 100
	a.StatusCode, a.Proto, a.Body = reply.code, "HTTP/1.1", []byte(reply.body)
	a.Header = []outbound.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Date", Value: start.Add(took).Format(http.TimeFormat)}}
	if reply.retryAfter != "" {
		a.Header = append(a.Header, outbound.Header{Name: "Retry-After", Value: reply.retryAfter})
	}
	return a
}

// shareOf makes of an id a number from 0 to 1, always the same.
func shareOf(id string) float64 {
	sum := uint32(2166136261) // FNV-1a
	for _, c := range []byte(id) {
		sum = (sum ^ uint32(c)) * 16777619
	}
	return float64(sum) / (1 << 32)
}

// ServeHTTP answers a live request.
func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	reply, took := r.reply(demoRequest{load: 1, share: shareOf(req.Header.Get("Webhook-Id")), rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))})
	select {
	case <-time.After(took):
	case <-req.Context().Done():
	}
	if reply.kind != "" {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	if reply.retryAfter != "" {
		w.Header().Set("Retry-After", reply.retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(reply.code)
	fmt.Fprintln(w, reply.body)
}

// url is the receiver's, where the receivers stand at that address.
func (r *demoReceiver) url(at netip.AddrPort) string {
	if at.Port() == 443 {
		return "https://" + r.host + demoDomain + r.path
	}
	return fmt.Sprintf("https://%s%s:%d%s", r.host, demoDomain, at.Port(), r.path)
}

// startReceivers serves the sample receivers on this machine until ctx ends. It
// gives the address at which they stand, and who vouches for them.
func startReceivers(ctx context.Context) (at netip.AddrPort, trusted *x509.CertPool, err error) {
	expired := map[string]bool{}
	mux := http.NewServeMux()
	for _, r := range demoReceivers() {
		mux.Handle(r.host+demoDomain+r.path, r)
		expired[r.host+demoDomain] = r.expired
	}
	good, err := certificateUntil(time.Now().AddDate(0, 0, 90))
	if err != nil {
		return at, nil, err
	}
	bad, err := certificateUntil(time.Now().Add(-demoExpired))
	if err != nil {
		return at, nil, err
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(good.Leaf)
	socket, at, err := demoSocket()
	if err != nil {
		return at, nil, err
	}
	serveUntil(ctx, socket, mux, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if expired[hello.ServerName] {
			return bad, nil
		}
		return good, nil
	}})
	return at, trusted, nil
}
