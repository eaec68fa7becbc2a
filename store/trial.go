package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
	"belfry/worker/outbound"
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

// PreviewTest gives the request that sending the test now would make, signed
// as it would be, with the values of custom headers masked. Nothing is sent,
// and where it goes is not looked at; what can't be signed is CodeInvalid.
func (s *Store) PreviewTest(ctx context.Context, account uuid.UUID, t NewTest) (outbound.Request, error) {
	endpoint, err := s.testEndpoint(ctx, account, t)
	if err != nil {
		return outbound.Request{}, err
	}
	var bad faults
	if t.WebhookID == uuid.Nil && t.Secret != "" {
		checkSecret(SecretChoice{Own: t.Secret}, &bad)
	}
	e, err := s.testEvent(ctx, account, &t, &bad)
	if err != nil {
		return outbound.Request{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return outbound.Request{}, err
	}
	j := Job{DeliveryID: s.newID(), Endpoint: endpoint, Event: e.Type, OccurredAt: At(now).Time, Data: e.Data, Attempt: 1}
	req, _, err := j.Request(now)
	req.Header = endpoint.MaskHeaders(req.Header)
	return req, err
}

// testEndpoint is where the test goes, as of now.
func (s *Store) testEndpoint(ctx context.Context, account uuid.UUID, t NewTest) (*Endpoint, error) {
	a, err := s.Account(ctx, account)
	if err != nil || t.WebhookID == uuid.Nil {
		return t.endpoint(a), err
	}
	rows, err := webhookRows(ctx, s.ro, "account_id = ? AND id = ? AND deleted_at IS NULL", account, t.WebhookID)
	if err != nil || len(rows) == 0 {
		return nil, orNotFound(s.wrap(err))
	}
	_, endpoint, err := s.openWebhook(&rows[0], a)
	return endpoint, err
}

// endpoint is where a test to a free URL goes.
func (t *NewTest) endpoint(a Account) *Endpoint {
	return &Endpoint{Account: a.Name, URL: t.URL, HeaderPrefix: a.HeaderPrefix, Secret: t.Secret}
}

// SendTestAgain sends a test once more: to the same webhook or URL, with the
// same event, data and secret. CodeNotFound where the delivery is no test.
func (s *Store) SendTestAgain(ctx context.Context, account, delivery uuid.UUID) (Delivery, error) {
	var d deliveryRow
	err := s.ro.NewSelect().Model(&d).Where("account_id = ? AND id = ? AND test", account, delivery).Scan(ctx)
	if err != nil {
		return Delivery{}, s.wrap(err)
	}
	e, err := s.Event(ctx, account, d.EventID)
	if err != nil {
		return Delivery{}, err
	}
	t := NewTest{WebhookID: d.WebhookID, Event: e.Type, Data: e.Data}
	if d.WebhookID == uuid.Nil {
		t.URL = d.URL
		if t.Secret, err = s.openText(place("test", d.ID), d.Secret); err != nil {
			return Delivery{}, err
		}
	}
	return s.SendTest(ctx, account, t)
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
	return s.testEvent(ctx, account, t, &bad)
}

// testEvent is the event of a test: with data, or the sample of its type.
func (s *Store) testEvent(ctx context.Context, account uuid.UUID, t *NewTest, bad *faults) (NewEvent, error) {
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
	return t.event(s.opt.Limits, bad)
}

// event checks the test's data as if it were published; types of Belfry's own
// group may be tested.
func (t *NewTest) event(limits Limits, bad *faults) (NewEvent, error) {
	e := NewEvent{Type: "call.ended", Data: t.Data}
	if e.check(limits, "", bad) {
		return e, e.tooLarge(limits, "")
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
	f.add(a, e, d, t.endpoint(a.desk.account))
	d.Secret = s.sealText(place("test", d.ID), t.Secret)
	return nil
}
