package store

import (
	"context"
	"time"

	"belfry/store/uuid"
)

// Overview is a webhook with all that the list of webhooks tells about it.
type Overview struct {
	Webhook
	Summary Summary
	Health  Health
	// Hours are the attempts of the last 24 hours, oldest first.
	Hours []Bar
	// OK and Failed count the attempts of the last 24 hours.
	OK, Failed    int64
	LastAttemptAt Time
}

// Bar counts the attempts that began in a span of time.
type Bar struct {
	Start      Time
	OK, Failed int64
}

// Overviews lists the account's webhooks that are not deleted, oldest first.
func (s *Store) Overviews(ctx context.Context, account uuid.UUID) ([]Overview, error) {
	webhooks, err := s.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	return s.overviews(ctx, account, webhooks)
}

// Conditions lists the account's webhooks as Overviews does, but without what
// the last 24 hours were.
func (s *Store) Conditions(ctx context.Context, account uuid.UUID) ([]Overview, error) {
	webhooks, err := s.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	list, _, err := s.conditions(ctx, account, webhooks)
	return list, err
}

// Overview tells about one webhook, deleted or not.
func (s *Store) Overview(ctx context.Context, account, id uuid.UUID) (Overview, error) {
	w, err := s.Webhook(ctx, account, id)
	if err != nil {
		return Overview{}, err
	}
	list, err := s.overviews(ctx, account, []Webhook{w})
	if err != nil {
		return Overview{}, err
	}
	return list[0], nil
}

func (s *Store) overviews(ctx context.Context, account uuid.UUID, webhooks []Webhook) ([]Overview, error) {
	list, now, err := s.conditions(ctx, account, webhooks)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	bars, err := s.dayBars(ctx, idsOf(webhooks), now)
	for i := range list {
		o := &list[i]
		o.Hours = bars[o.ID]
		for _, b := range o.Hours {
			o.OK += b.OK
			o.Failed += b.Failed
		}
	}
	return list, err
}

// conditions tells how webhooks are, and the time, in microseconds, at which
// they are so.
func (s *Store) conditions(ctx context.Context, account uuid.UUID, webhooks []Webhook) (list []Overview, now int64, err error) {
	if len(webhooks) == 0 {
		return nil, 0, nil
	}
	state, err := s.readState(ctx, account)
	if err != nil {
		return nil, 0, err
	}
	queues, err := s.queuesOf(ctx, nil, []uuid.UUID{account})
	if err != nil {
		return nil, 0, s.wrap(err)
	}
	hour, err := s.timingsOf(ctx, idsOf(webhooks), minuteSpan, state.Now-time.Hour.Microseconds(), state.Now)
	if err != nil {
		return nil, 0, err
	}
	list = make([]Overview, len(webhooks))
	for i, w := range webhooks {
		q := queues[w.ID]
		list[i] = Overview{
			Webhook: w, Summary: q.summary(), LastAttemptAt: q.LastAttemptAt,
			Health: healthOf(&w, q, orEmpty(hour[w.ID]), state, s.opt.Limits.Timeout),
		}
	}
	return list, state.Now, nil
}

func idsOf(webhooks []Webhook) []uuid.UUID {
	ids := make([]uuid.UUID, len(webhooks))
	for i := range webhooks {
		ids[i] = webhooks[i].ID
	}
	return ids
}

func orEmpty(t *timings) *timings {
	if t == nil {
		return newTimings()
	}
	return t
}

// readState reads an account's rate without locking it.
func (s *Store) readState(ctx context.Context, account uuid.UUID) (*accountState, error) {
	var state accountState
	err := s.ro.NewRaw("SELECT account_id, rate_used_until, webhooks_version, "+s.nowSQL()+" AS now FROM account_states WHERE account_id = ?", account).Scan(ctx, &state)
	if err != nil {
		return nil, s.wrap(err)
	}
	a, err := s.account(ctx, s.ro, account)
	state.desk, state.used = &desk{account: a}, state.RateUsedUntil
	return &state, err
}

// timingsOf sums the attempts of queues since a moment.
func (s *Store) timingsOf(ctx context.Context, queues []uuid.UUID, span int, since, now int64) (map[uuid.UUID]*timings, error) {
	slots, err := s.slotsOf(ctx, queues, span, since, now)
	all := make(map[uuid.UUID]*timings, len(slots))
	for id, list := range slots {
		all[id] = newTimings()
		for _, l := range list {
			all[id].add(l)
		}
	}
	return all, err
}

// dayBars gives each queue's attempts of the last 24 hours, hour by hour.
func (s *Store) dayBars(ctx context.Context, queues []uuid.UUID, now int64) (map[uuid.UUID][]Bar, error) {
	hour, first := time.Hour.Microseconds(), firstOfDay(now)
	slots, err := s.slotsOf(ctx, queues, hourSpan, first, now)
	bars := make(map[uuid.UUID][]Bar, len(queues))
	for _, id := range queues {
		list := emptyBars(first, hour, 24)
		for _, l := range slots[id] {
			if i := (l.start - first) / hour; int(i) < len(list) {
				list[i].OK, list[i].Failed = l.ok, l.failed
			}
		}
		bars[id] = list
	}
	return bars, err
}

// firstOfDay is when the first of the last 24 hours began, the running one among
// them.
func firstOfDay(now int64) int64 {
	hour := time.Hour.Microseconds()
	return now/hour*hour - 23*hour
}

func emptyBars(first, step int64, n int) []Bar {
	bars := make([]Bar, n)
	for i := range bars {
		bars[i].Start = Time{fromMicros(first + int64(i)*step)}
	}
	return bars
}

// Range is how far back a chart looks.
type Range string

// The ranges that pages offer.
const (
	LastHour  Range = "1h"
	LastDay   Range = "24h"
	LastWeek  Range = "7d"
	LastMonth Range = "30d"
)

// RangeWords are the words of all ranges, the shortest first.
func RangeWords() []string {
	return []string{string(LastHour), string(LastDay), string(LastWeek), string(LastMonth)}
}

// ParseRange reads a range; any other word is LastDay.
func ParseRange(word string) Range {
	switch r := Range(word); r {
	case LastHour, LastWeek, LastMonth:
		return r
	}
	return LastDay
}

// scale gives a range's tallies, the width of a bar and how many there are.
func (r Range) scale() (span int, step time.Duration, bars int) {
	switch r {
	case LastHour:
		return minuteSpan, 2 * time.Minute, 30
	case LastWeek:
		return hourSpan, 6 * time.Hour, 28
	case LastMonth:
		return hourSpan, 24 * time.Hour, 30
	}
	return hourSpan, time.Hour, 24
}

// Chart is a webhook's attempts over a range of time.
type Chart struct {
	Range         Range
	Step          time.Duration
	Points        []Point // oldest first; the last one is still growing
	OK, Failed    int64
	P50, P95, P99 time.Duration // of the whole range; 0: no answers
	Kinds         []KindCount   // most frequent first
}

// Point is one bar of a chart with its response times; 0: no answers.
type Point struct {
	Bar
	P50, P95, P99 time.Duration
}

// Chart tells what a webhook's attempts came to, over a range.
func (s *Store) Chart(ctx context.Context, account, webhook uuid.UUID, r Range) (Chart, error) {
	if _, err := s.Webhook(ctx, account, webhook); err != nil {
		return Chart{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return Chart{}, err
	}
	span, step, bars := r.scale()
	width := step.Microseconds()
	first := now.UnixMicro()/width*width - int64(bars-1)*width
	read := s.sinceOf
	if r == LastMonth {
		read = s.daysOf
	}
	slots, err := read(ctx, webhook, span, first, now.UnixMicro())
	return chart(r, step, emptyBars(first, width, bars), slots), err
}

// sinceOf is slotsOf for one queue.
func (s *Store) sinceOf(ctx context.Context, queue uuid.UUID, span int, since, now int64) ([]*slot, error) {
	slots, err := s.slotsOf(ctx, []uuid.UUID{queue}, span, since, now)
	return slots[queue], err
}

func chart(r Range, step time.Duration, bars []Bar, slots []*slot) Chart {
	whole, points := newTimings(), make([]*timings, len(bars))
	for _, l := range slots {
		whole.add(l)
		if j := (l.start - bars[0].Start.UnixMicro()) / step.Microseconds(); j >= 0 && int(j) < len(points) {
			points[j] = orEmpty(points[j])
			points[j].add(l)
		}
	}
	c := Chart{
		Range: r, Step: step, OK: whole.ok, Failed: whole.failed, Kinds: whole.kinds(),
		P50: whole.percentile(50), P95: whole.percentile(95), P99: whole.percentile(99),
	}
	for i, b := range bars {
		t := orEmpty(points[i])
		b.OK, b.Failed = t.ok, t.failed
		c.Points = append(c.Points, Point{b, t.percentile(50), t.percentile(95), t.percentile(99)})
	}
	return c
}

// Strip is what the head of the list of webhooks counts.
type Strip struct {
	// OK and Failed count the attempts of the last 24 hours.
	OK, Failed int64
	// Delivered counts what of the last 24 hours is delivered, tests and what
	// deleted webhooks got among it, as the log does.
	Delivered int64
	// Waiting deliveries are pending; Held of them wait for something other
	// than their time.
	Waiting, Held int64
	// GivenUp counts the deliveries that failed in the last 24 hours, at most 10 000.
	GivenUp int64
}

// Strip counts what the account's webhooks, as listed, did and have to do.
func (s *Store) Strip(ctx context.Context, account uuid.UUID, list []Overview) (Strip, error) {
	var n Strip
	now, err := s.Now(ctx)
	if err != nil {
		return n, err
	}
	for i := range list {
		o := &list[i]
		n.OK += o.OK
		n.Failed += o.Failed
		n.Waiting += o.Summary.Pending
		switch o.Health.State {
		case HealthInactive, HealthProbing:
			n.Held += o.Summary.Pending
		case HealthHeld:
			due, err := s.countDue(ctx, o.ID, now)
			if err != nil {
				return n, err
			}
			n.Held += due
		}
	}
	if n.Delivered, err = s.deliveredInADay(ctx, account, now); err != nil {
		return n, s.wrap(err)
	}
	err = s.ro.NewRaw(`SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE account_id = ? AND status = 3 AND finished_at > ? LIMIT 10000) AS failed`,
		account, micros(now.Add(-24*time.Hour))).Scan(ctx, &n.GivenUp)
	return n, s.wrap(err)
}

// fewDeliveries are counted one by one.
const fewDeliveries = 1000

// deliveredInADay counts as the log does where the last 24 hours have few
// deliveries, or else the attempts that delivered, which are about as many.
func (s *Store) deliveredInADay(ctx context.Context, account uuid.UUID, now time.Time) (int64, error) {
	since := now.Add(-24 * time.Hour)
	var n struct{ Looked, Delivered int64 }
	err := s.ro.NewRaw(`SELECT count(*) AS looked, coalesce(sum(CASE WHEN status = 2 AND created_at >= ? THEN 1 ELSE 0 END), 0) AS delivered
		FROM (SELECT status, created_at FROM deliveries WHERE account_id = ? AND id >= ? ORDER BY id DESC LIMIT ?) AS newest`,
		micros(since), account, idAt(since.Add(-idSlack)), fewDeliveries).Scan(ctx, &n)
	if err == nil && n.Looked == fewDeliveries {
		return s.succeededInADay(ctx, account, now.UnixMicro())
	}
	return n.Delivered, err
}

// succeededInADay counts the attempts of the last 24 hours that delivered, in all
// queues of the account.
func (s *Store) succeededInADay(ctx context.Context, account uuid.UUID, now int64) (n int64, err error) {
	var queues []uuid.UUID
	if err := s.ro.NewRaw("SELECT id FROM queues WHERE account_id = ?", account).Scan(ctx, &queues); err != nil {
		return 0, err
	}
	slots, err := s.slotsOf(ctx, queues, hourSpan, firstOfDay(now), now)
	for _, list := range slots {
		for _, l := range list {
			n += l.ok
		}
	}
	return n, err
}

func (s *Store) countDue(ctx context.Context, queue uuid.UUID, now time.Time) (n int64, err error) {
	err = s.ro.NewRaw("SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE queue_id = ? AND status = 0 AND next_attempt_at <= ? LIMIT ?) AS due",
		queue, micros(now), CountedDue).Scan(ctx, &n)
	return n, s.wrap(err)
}
