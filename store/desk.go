package store

import (
	"context"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Endpoint is all that a sender needs to know about where a delivery goes.
type Endpoint struct {
	// Account is the name of the account, which -allow-targets entries may be bound to.
	Account      string
	URL          string
	HeaderPrefix string
	// Secret signs; empty: unsigned. While an overlap lasts, Next signs too.
	Secret, Next  string
	OverlapEndsAt time.Time
	Headers       []Header
}

// Secrets gives the secret that signs first at that moment, and the one that
// signs beside it while a rotation overlaps.
func (e *Endpoint) Secrets(at time.Time) (secret, next string) {
	if e.Next == "" {
		return e.Secret, ""
	}
	if !at.Before(e.OverlapEndsAt) {
		return e.Next, ""
	}
	return e.Secret, e.Next
}

// desk is what publishing and claiming need to know of an account: settings,
// webhooks and known event types, as of one version.
type desk struct {
	version   int64
	account   Account
	webhooks  []Webhook
	endpoints map[uuid.UUID]*Endpoint
	types     map[string]bool
}

// deskCache keeps the last desk seen of each account. A desk is used only
// where its version is the one just read in the transaction.
type deskCache struct {
	mu    sync.Mutex
	desks map[uuid.UUID]*desk
}

func (c *deskCache) get(id uuid.UUID, version int64) *desk {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.desks[id]; d != nil && d.version == version {
		return d
	}
	return nil
}

// last is the desk as it was remembered last, of whatever version.
func (c *deskCache) last(id uuid.UUID) *desk {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.desks[id]
}

func (c *deskCache) put(d *desk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.desks == nil || len(c.desks) >= 10_000 {
		c.desks = map[uuid.UUID]*desk{}
	}
	c.desks[d.account.ID] = d
}

// accountState is the row of an account within a transaction that has entered it.
type accountState struct {
	AccountID       uuid.UUID
	RateUsedUntil   int64
	WebhooksVersion int64
	Now             int64

	desk *desk `bun:"-"`
	used int64 `bun:"-"`
	// spent is how many requests the transaction adds to those that used the rate.
	spent int64 `bun:"-"`
}

func readAccountState(scan scanner) (*accountState, error) {
	var a accountState
	err := scan(&a.AccountID, &a.RateUsedUntil, &a.WebhooksVersion, &a.Now)
	return &a, err
}

// enterQueues lets the transaction work on the accounts beside others, and locks
// the queues. What the accounts may spend is read last, when others have spent.
func (s *Store) enterQueues(ctx context.Context, tx bun.Tx, accounts, ids []uuid.UUID) (states map[uuid.UUID]*accountState, queues map[uuid.UUID]*queueRow, err error) {
	if err = s.d.enter(ctx, tx, accounts, false); err != nil {
		return nil, nil, err
	}
	if len(accounts) == 0 {
		queues, err = s.lockQueues(ctx, tx, ids)
		return nil, queues, err
	}
	if queues, err = s.askQueues(ctx, tx, s.selectLocked(), ids); err != nil {
		return nil, nil, err
	}
	states, err = s.statesOf(ctx, tx, accounts)
	return states, queues, err
}

// statesOf reads the states of accounts, each with its desk; one that is unknown
// has none.
func (s *Store) statesOf(ctx context.Context, tx bun.Tx, ids []uuid.UUID) (map[uuid.UUID]*accountState, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := rowsOf(ctx, s, &tx, readAccountState, `SELECT account_id, rate_used_until, webhooks_version, `+s.d.nowOr("$2")+` FROM account_states
		WHERE `+s.d.among("account_id", "$1", "uuid"), s.d.list(ids), s.nowArg())
	if err != nil {
		return nil, err
	}
	states := make(map[uuid.UUID]*accountState, len(rows))
	for _, a := range rows {
		if a.desk = s.desks.get(a.AccountID, a.WebhooksVersion); a.desk == nil {
			if a.desk, err = s.loadDesk(ctx, tx, a.AccountID, a.WebhooksVersion); err != nil {
				return nil, err
			}
			s.desks.put(a.desk)
		}
		a.used = a.RateUsedUntil
		states[a.AccountID] = a
	}
	return states, nil
}

// lockAccount keeps out all others who work on the account until the transaction
// ends. CodeNotFound where it does not exist.
func (s *Store) lockAccount(ctx context.Context, tx bun.Tx, id uuid.UUID) (*accountState, error) {
	return s.enterAccount(ctx, tx, id, true)
}

// enterAccount lets the transaction work on the account beside others, or alone,
// until it ends, and reads its state; CodeNotFound where it does not exist.
func (s *Store) enterAccount(ctx context.Context, tx bun.Tx, id uuid.UUID, alone bool) (*accountState, error) {
	ids := []uuid.UUID{id}
	if err := s.d.enter(ctx, tx, ids, alone); err != nil {
		return nil, err
	}
	states, err := s.statesOf(ctx, tx, ids)
	if err == nil && states[id] == nil {
		err = notFound()
	}
	return states[id], err
}

func (s *Store) loadDesk(ctx context.Context, db bun.IDB, id uuid.UUID, version int64) (*desk, error) {
	d := &desk{version: version, endpoints: map[uuid.UUID]*Endpoint{}}
	var err error
	if d.account, err = s.account(ctx, db, id); err != nil {
		return nil, err
	}
	rows, err := webhookRows(ctx, db, "account_id = ? AND deleted_at IS NULL", id)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		w, endpoint, err := s.openWebhook(&rows[i], d.account)
		if err != nil {
			return nil, err
		}
		d.webhooks = append(d.webhooks, w)
		d.endpoints[w.ID] = endpoint
	}
	d.types, err = s.knownTypes(ctx, db, id)
	return d, err
}

// bump tells every node, at its next transaction, that the account's settings,
// webhooks or types are not what it remembers.
func bump(ctx context.Context, tx bun.Tx, account uuid.UUID) error {
	_, err := tx.NewRaw("UPDATE account_states SET webhooks_version = webhooks_version + 1 WHERE account_id = ?", account).Exec(ctx)
	return err
}
