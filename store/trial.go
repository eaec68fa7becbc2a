package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// NewTest is a test to be sent: to a webhook, or to any URL.
type NewTest struct {
	WebhookID uuid.UUID // zero: to URL
	URL       string
	// Secret signs a test to a free URL; empty: unsigned.
	Secret string
	Event  string
	// Data is a JSON object; empty: the type's sample.
	Data []byte
}

// SendTest sends one test, with one attempt, on the road of real events.
// CodeRate when the account has sent its share of this minute.
func (s *Store) SendTest(ctx context.Context, account uuid.UUID, t NewTest) (Delivery, error) {
	e, err := s.checkTest(ctx, account, &t)
	if err != nil {
		return Delivery{}, err
	}
	var f *fanout
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		if f != nil {
			f.release()
		}
		var err error
		if f, err = s.writeTest(ctx, tx, account, t, e); err != nil {
			return nil, err
		}
		return f.changes, f.write(ctx, tx)
	})
	if err != nil {
		if f != nil {
			f.release()
		}
		return Delivery{}, err
	}
	f.deliver()
	list, err := s.deliveries(ctx, s.db, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("id = ?", f.deliveries[0].ID)
	})
	if err != nil || len(list) == 0 {
		return Delivery{}, orNotFound(err)
	}
	return list[0], nil
}

func (s *Store) checkTest(ctx context.Context, account uuid.UUID, t *NewTest) (NewEvent, error) {
	var bad faults
	if t.WebhookID != uuid.Nil {
		if _, err := s.liveWebhook(ctx, account, t.WebhookID); err != nil {
			return NewEvent{}, err
		}
	} else {
		a, err := s.Account(ctx, account)
		if err != nil {
			return NewEvent{}, err
		}
		s.checkURL(ctx, a.Name, t.URL, &bad)
		if t.Secret != "" {
			checkSecret(SecretChoice{Own: t.Secret}, &bad)
		}
	}
	known, err := s.EventType(ctx, account, t.Event)
	if IsCode(err, CodeNotFound) {
		bad.add("event", "there is no event type of this name")
	} else if err != nil {
		return NewEvent{}, err
	}
	if len(t.Data) == 0 {
		t.Data = []byte("{}")
		if len(known.Sample) > 0 {
			t.Data = known.Sample
		}
	}
	return t.event(s.opt.Limits, &bad)
}

// event checks the test's data as if it were published; types of Belfry's own
// group may be tested.
func (t *NewTest) event(limits Limits, bad *faults) (NewEvent, error) {
	e := NewEvent{Type: "call.ended", Data: t.Data}
	if e.check(limits, "", bad) {
		return e, &Error{Code: CodeTooLarge, Detail: fmt.Sprintf("data has at most %d KiB", limits.EventBytes>>10)}
	}
	e.Type = t.Event
	return e, bad.err()
}

func (s *Store) writeTest(ctx context.Context, tx bun.Tx, account uuid.UUID, t NewTest, e NewEvent) (*fanout, error) {
	a, err := s.lockAccount(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	var recent int
	err = tx.NewRaw("SELECT count(*) FROM deliveries WHERE queue_id = ? AND test AND created_at > ?", account, a.Now-time.Minute.Microseconds()).Scan(ctx, &recent)
	if err != nil {
		return nil, err
	}
	if limit := a.desk.account.Limits.TestsPerMinute; recent >= limit {
		return nil, &Error{Code: CodeRate, RetryAfter: 60, Detail: fmt.Sprintf("this account has sent its %d tests of this minute; try again in a minute", limit)}
	}
	f := s.newFanout(a.Now, map[uuid.UUID]*accountState{account: a})
	if f.queues, err = s.queuesOf(ctx, &tx, []uuid.UUID{account}); err != nil {
		return nil, err
	}
	event := &eventRow{
		ID: s.idOf(a.Now), AccountID: account, Type: e.Type, AgentID: e.AgentID, OccurredAt: Time{fromMicros(a.Now)},
		Data: e.Data, Verdicts: []byte{}, Test: true, CreatedAt: Time{fromMicros(a.Now)},
	}
	f.events = append(f.events, event)
	return f, s.addTest(f, a, event, t)
}

func (s *Store) addTest(f *fanout, a *accountState, e *eventRow, t NewTest) error {
	d := &deliveryRow{QueueID: a.AccountID, WebhookID: t.WebhookID, MaxAttempts: 1}
	if t.WebhookID != uuid.Nil {
		endpoint := a.desk.endpoints[t.WebhookID]
		if endpoint == nil {
			return errDeleted()
		}
		d.URL = endpoint.URL
		f.add(a, e, d, endpoint)
		return nil
	}
	d.URL = t.URL
	f.add(a, e, d, &Endpoint{Account: a.desk.account.Name, URL: t.URL, HeaderPrefix: a.desk.account.HeaderPrefix, Secret: t.Secret})
	d.Secret = s.sealText(place("test", d.ID), t.Secret)
	return nil
}
