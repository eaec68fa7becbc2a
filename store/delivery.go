package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Status is where a delivery is in its life.
//
//	publish ─► pending ─claim─► processing ─2xx─► delivered
//	             ▲                 ├─ other, attempts left ─► pending
//	             │                 ├─ other, none left ─────► failed
//	             │                 ├─ 410 ──────────────────► dead
//	             └── lease lost ───┘  webhook deleted ───────► dead
//	resend: delivered | failed | dead (410, expired) ─► pending
type Status int16

// The statuses, as they stand in the database.
const (
	Pending Status = iota
	Processing
	Delivered
	Failed
	Dead
)

// Statuses lists all of them.
var statusNames = [...]string{"pending", "processing", "delivered", "failed", "dead"}

// String is the status's name in the API.
func (s Status) String() string { return statusNames[s] }

// ParseStatus reads a name; ok is false for any other word.
func ParseStatus(name string) (status Status, ok bool) {
	for i, n := range statusNames {
		if n == name {
			return Status(i), true
		}
	}
	return 0, false
}

// Finished says that nothing more will happen to it by itself.
func (s Status) Finished() bool { return s >= Delivered }

// Why a pending delivery is held.
const (
	HeldInactive = "inactive"
	HeldProbing  = "probing"
	HeldRate     = "rate"
	HeldBusy     = "busy"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID, AccountID  uuid.UUID
	WebhookID      uuid.UUID // zero for a test to a free URL
	EventID        uuid.UUID
	EventType      string
	AgentID        string
	Test           bool
	URL            string // the webhook's, or the free one
	Status         Status
	Held           string // one of the Held… words while it is pending and held
	Attempts       int
	MaxAttempts    int
	ScheduleStart  int  // the attempts made before the schedule last began
	NextAttemptAt  Time // zero unless pending and not held
	LastStatusCode int
	LastError      string // a failure kind; empty after success
	LastDetail     string
	LastDuration   time.Duration
	LastAttemptAt  Time
	CreatedAt      Time
	DeliveredAt    Time
	FinishedAt     Time
	// WebhookDeleted says that its webhook is gone for good.
	WebhookDeleted bool
	// HeldUntil is when what holds it is looked at again, where that is known.
	HeldUntil Time
}

// deliveryRow is a row of deliveries.
type deliveryRow struct {
	bun.BaseModel  `bun:"table:deliveries,alias:d"`
	ID             uuid.UUID
	AccountID      uuid.UUID
	QueueID        uuid.UUID
	WebhookID      uuid.UUID `bun:",nullzero"`
	EventID        uuid.UUID
	EventType      string
	AgentID        string `bun:",nullzero"`
	Test           bool
	URL            string `bun:",nullzero"`
	Secret         []byte
	Status         Status
	Attempts       int
	MaxAttempts    int
	ScheduleStart  int
	Interrupted    int    // attempts lost in a row
	Spared         int    // lost attempts that cost no retry, since the schedule began
	NextAttemptAt  Time   `bun:",nullzero"`
	LeaseNode      string `bun:",nullzero"`
	LeaseUntil     Time   `bun:",nullzero"`
	LastStatusCode int    `bun:",nullzero"`
	LastError      string `bun:",nullzero"`
	LastDetail     string `bun:",nullzero"`
	LastDurationUs int64  `bun:",nullzero"`
	LastAttemptAt  Time   `bun:",nullzero"`
	CreatedAt      Time
	DeliveredAt    Time `bun:",nullzero"`
	FinishedAt     Time `bun:",nullzero"`
}

func (r *deliveryRow) delivery() Delivery {
	return Delivery{
		ID: r.ID, AccountID: r.AccountID, WebhookID: r.WebhookID, EventID: r.EventID, EventType: r.EventType,
		AgentID: r.AgentID, Test: r.Test, URL: r.URL, Status: r.Status, Attempts: r.Attempts, MaxAttempts: r.MaxAttempts,
		ScheduleStart: r.ScheduleStart, NextAttemptAt: r.NextAttemptAt, LastStatusCode: r.LastStatusCode,
		LastError: r.LastError, LastDetail: r.LastDetail, LastDuration: time.Duration(r.LastDurationUs) * time.Microsecond,
		LastAttemptAt: r.LastAttemptAt, CreatedAt: r.CreatedAt, DeliveredAt: r.DeliveredAt, FinishedAt: r.FinishedAt,
	}
}

// job is what a sender gets to know of the delivery.
func (r *deliveryRow) job(e *eventRow, endpoint *Endpoint) Job {
	return Job{
		DeliveryID: r.ID, QueueID: r.QueueID, WebhookID: r.WebhookID, AccountID: r.AccountID, EventID: r.EventID,
		Endpoint: endpoint, Event: r.EventType, OccurredAt: e.OccurredAt.Time, Data: e.Data, Test: r.Test,
		Attempt: r.Attempts + 1, MaxAttempts: r.MaxAttempts, ScheduleStart: r.ScheduleStart, Spared: r.Spared, SendBy: time.Now().Add(leaseSlack),
	}
}

// Delivery finds one delivery of the account.
func (s *Store) Delivery(ctx context.Context, account, id uuid.UUID) (Delivery, error) {
	list, err := s.deliveries(ctx, s.ro, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("account_id = ? AND id = ?", account, id)
	})
	if err != nil || len(list) == 0 {
		return Delivery{}, orNotFound(s.wrap(err))
	}
	return list[0], nil
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return notFound()
}

// EventDeliveries lists the deliveries of one event, oldest first.
func (s *Store) EventDeliveries(ctx context.Context, account, event uuid.UUID) ([]Delivery, error) {
	// Asked without the account, lest all of the account's be gone through.
	list, err := s.deliveries(ctx, s.ro, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("event_id = ?", event).Order("id").Limit(1000)
	})
	if err != nil || len(list) == 0 || list[0].AccountID != account {
		return nil, err
	}
	return list, nil
}

func (s *Store) deliveries(ctx context.Context, db bun.IDB, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]Delivery, error) {
	var rows []deliveryRow
	if err := narrow(db.NewSelect().Model(&rows).ExcludeColumn("secret")).Scan(ctx); err != nil {
		return nil, s.wrap(err)
	}
	list := make([]Delivery, len(rows))
	for i := range rows {
		list[i] = rows[i].delivery()
	}
	return list, s.explain(ctx, db, list)
}

// explain adds what the webhook's and the account's state say about each
// delivery: its URL, whether it is held and why.
func (s *Store) explain(ctx context.Context, db bun.IDB, list []Delivery) error {
	if len(list) == 0 {
		return nil
	}
	ids := map[uuid.UUID]bool{}
	for _, d := range list {
		ids[d.WebhookID] = true
	}
	var rows []struct {
		queueRow `bun:",extend"`
		URL      string
	}
	err := db.NewRaw("SELECT q.*, w.url FROM queues q JOIN webhooks w ON w.id = q.webhook_id WHERE q.id IN (?)", bun.List(sortedKeys(ids, compareIDs))).Scan(ctx, &rows)
	if err != nil {
		return s.wrap(err)
	}
	var state accountState
	err = db.NewRaw("SELECT account_id, rate_used_until, webhooks_version, "+s.nowSQL()+" AS now FROM account_states WHERE account_id = ?", list[0].AccountID).Scan(ctx, &state)
	if err != nil {
		return s.wrap(err)
	}
	account, err := s.account(ctx, db, list[0].AccountID)
	if err != nil {
		return err
	}
	state.desk, state.used = &desk{account: account}, state.RateUsedUntil
	for i := range list {
		for j := range rows {
			if rows[j].ID == list[i].WebhookID {
				list[i].URL = rows[j].URL
				list[i].place(&rows[j].queueRow, &state, s.opt.Limits.InFlight)
			}
		}
		if list[i].Test && list[i].Status == Pending {
			list[i].holdForRate(&state)
		}
		if list[i].Status != Pending || list[i].Held != "" {
			list[i].NextAttemptAt = Time{}
		}
	}
	return nil
}

// place says what the state of its webhook means for the delivery.
func (d *Delivery) place(q *queueRow, a *accountState, inFlight int) {
	if d.Test {
		return
	}
	if q.Deleted {
		d.WebhookDeleted = true
		if !d.Status.Finished() {
			d.Status = Dead
		}
	}
	if d.Status != Pending {
		return
	}
	switch {
	case q.Paused:
		d.Held = HeldInactive
	case q.Probing:
		d.Held, d.HeldUntil = HeldProbing, q.ProbeAt
	default:
		d.holdForRate(a)
		if d.Held == "" && d.due(a.Now) && q.Processing >= int64(inFlight) {
			d.Held = HeldBusy
		}
	}
}

func (d *Delivery) due(now int64) bool {
	return !d.NextAttemptAt.IsZero() && d.NextAttemptAt.UnixMicro() <= now
}

func (d *Delivery) holdForRate(a *accountState) {
	if d.due(a.Now) && a.held() {
		d.Held, d.HeldUntil = HeldRate, a.heldUntil()
	}
}

// DeadReason says why a dead delivery is dead: deleted, gone or expired.
func (d *Delivery) DeadReason() string {
	switch {
	case d.Status != Dead:
		return ""
	case d.LastError == "gone":
		return ReasonGone
	case d.WebhookDeleted:
		return "deleted"
	}
	return "expired"
}
