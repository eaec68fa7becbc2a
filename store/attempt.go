package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
	"belfry/worker/signature"
)

// Attempt is one HTTP request of a delivery and what came of it.
type Attempt struct {
	Number        int
	Node          string
	StartedAt     Time
	Duration      time.Duration
	StatusCode    int    // 0: no answer
	Error         string // a failure kind; empty after success
	Detail        string // a sentence for people
	RemoteAddress string
	Protocol      string // HTTP/1.1, HTTP/2.0; empty: no answer
	Phases        Phases
	URL           string
	Request       []Header // values of custom headers are masked
	// RequestBody is made again from the event and the logged signature.
	RequestBody  []byte
	Response     []Header
	ResponseBody []byte
	Truncated    bool
	// BodiesRemoved says that retention took the bodies.
	BodiesRemoved bool
}

// Phases tell where an attempt's time went; zero: not reached or, with
// Reused, not needed.
type Phases struct {
	DNS, Connect, TLS, FirstByte time.Duration
	Reused                       bool
}

type attemptRow struct {
	bun.BaseModel   `bun:"table:attempts,alias:t"`
	DeliveryID      uuid.UUID
	Number          int
	Node            string
	StartedAt       Time
	DurationUs      int64
	StatusCode      int    `bun:",nullzero"`
	Error           string `bun:",nullzero"`
	Detail          string `bun:",nullzero"`
	RemoteAddress   string `bun:",nullzero"`
	Protocol        string `bun:",nullzero"`
	DNSUs           int64  `bun:"dns_us"`
	ConnectUs       int64
	TLSUs           int64 `bun:"tls_us"`
	FirstByteUs     int64
	Reused          bool
	URL             string `bun:"url,nullzero"`
	RequestHeaders  string `bun:",nullzero"`
	ResponseHeaders string `bun:",nullzero"`
	ResponseBody    []byte
	Truncated       bool
	BodiesRemoved   bool
}

// AttemptsListed is how many attempts of a delivery are read at once. Each comes
// with the whole data of the event, and a delivery may be resent without end.
const AttemptsListed = 30

// Attempts lists a delivery's newest attempts, at most AttemptsListed, oldest of
// them first, with request and answer.
func (s *Store) Attempts(ctx context.Context, account, delivery uuid.UUID) ([]Attempt, error) {
	var rows []attemptRow
	err := s.ro.NewSelect().Model(&rows).Where("delivery_id = ?", delivery).
		Where("EXISTS (SELECT 1 FROM deliveries d WHERE d.id = ? AND d.account_id = ?)", delivery, account).Order("number DESC").Limit(AttemptsListed).Scan(ctx)
	if err != nil {
		return nil, s.wrap(err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	var e eventRow
	err = s.ro.NewSelect().Model(&e).Where("id = (SELECT event_id FROM deliveries WHERE id = ?)", delivery).Scan(ctx)
	if err != nil {
		return nil, s.wrap(err)
	}
	slices.Reverse(rows)
	attempts := make([]Attempt, len(rows))
	for i := range rows {
		if attempts[i], err = rows[i].attempt(&e); err != nil {
			return nil, err
		}
	}
	return attempts, nil
}

func (r *attemptRow) attempt(e *eventRow) (Attempt, error) {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	a := Attempt{
		Number: r.Number, Node: r.Node, StartedAt: r.StartedAt, Duration: us(r.DurationUs), StatusCode: r.StatusCode,
		Error: r.Error, Detail: r.Detail, RemoteAddress: r.RemoteAddress, Protocol: r.Protocol, URL: r.URL,
		Phases:       Phases{us(r.DNSUs), us(r.ConnectUs), us(r.TLSUs), us(r.FirstByteUs), r.Reused},
		ResponseBody: r.ResponseBody, Truncated: r.Truncated, BodiesRemoved: r.BodiesRemoved,
	}
	if r.RequestHeaders == "" {
		return a, nil
	}
	sum, headers, err := unpackRequest(r.DeliveryID, r.RequestHeaders)
	if err != nil {
		return a, err
	}
	a.Request = headers
	if !r.BodiesRemoved {
		a.RequestBody = signature.Unsigned(e.Type, e.OccurredAt.Format(time.RFC3339Nano), e.Data)
		if sum != "" {
			a.RequestBody = signature.WithSignature(a.RequestBody, sum)
		}
	}
	a.Response, err = unpackHeaders(r.ResponseHeaders)
	return a, err
}

// KindInterrupted is the failure kind of an attempt lost to a crash.
const KindInterrupted = "interrupted"
