package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// The states of a run that resends what a filter matches.
const (
	ResendRunning   = "running"
	ResendPaused    = "paused"
	ResendCancelled = "cancelled"
	ResendFinished  = "finished"
)

// ResendRun resends the deliveries that a filter matched when it began, oldest
// first and at its pace. It goes on after a restart where it stopped.
type ResendRun struct {
	ID        uuid.UUID `bun:",pk"`
	AccountID uuid.UUID
	Filter    DeliveryFilter `bun:"-"`
	// Pace is how many a minute; 0: as fast as the account's rate allows.
	Pace  int
	State string
	// Total is how many matched when it began, as far as Counted says that all
	// are counted.
	Total   int
	Counted bool
	// Resent and Skipped sum up to Total in the end. Skipped are those whose
	// webhook was deleted, and those sent again or removed meanwhile.
	Resent, Skipped int
	// Delivered, Failed and Dead are how those resent ended.
	Delivered, Failed, Dead int
	// CreatedBy and ChangedBy say who began it, and who paused it, went on with
	// it or cancelled it last.
	CreatedBy, ChangedBy string
	CreatedAt, ChangedAt Time
	EndedAt              Time `bun:",nullzero"`
	// Settled says that it has ended, and every delivery of it too.
	Settled bool
}

// Ended says that it resends nothing more.
func (r *ResendRun) Ended() bool { return r.State == ResendCancelled || r.State == ResendFinished }

// Left is how many are still to be looked at.
func (r *ResendRun) Left() int { return max(0, r.Total-r.Resent-r.Skipped) }

// Waiting is how many were resent whose outcome is not known yet.
func (r *ResendRun) Waiting() int {
	if r.Settled {
		return 0 // retention may have removed some before their end was noted
	}
	return max(0, r.Resent-r.Delivered-r.Failed-r.Dead)
}

// resendRow is a row of resends.
type resendRow struct {
	bun.BaseModel `bun:"table:resends,alias:r"`
	ResendRun
	Kept                string    `bun:"filter"` // a keptFilter
	CountedTo, Position uuid.UUID // how far it counted and resent
	UsedUntil           int64     // of the bucket that keeps its pace
}

func (r *resendRow) run() (ResendRun, error) {
	var kept keptFilter
	err := json.Unmarshal([]byte(r.Kept), &kept)
	r.Filter = kept.filter()
	return r.ResendRun, err
}

// keptFilter is the filter of a run as it stands in the database.
type keptFilter struct {
	WebhookID uuid.UUID `json:"webhook_id,omitzero"`
	AgentID   string    `json:"agent_id,omitempty"`
	Event     string    `json:"event,omitempty"`
	Status    Status    `json:"status"`
	Error     string    `json:"error,omitempty"`
	Code      int       `json:"code,omitempty"`
	From      time.Time `json:"from,omitzero"`
	To        time.Time `json:"to,omitzero"`
	Text      string    `json:"text,omitempty"`
}

func (k keptFilter) filter() DeliveryFilter {
	return DeliveryFilter{
		WebhookID: k.WebhookID, AgentID: k.AgentID, Event: k.Event, Status: []Status{k.Status}, Error: k.Error, Code: k.Code,
		From: k.From, To: k.To, Text: k.Text, NoTests: true,
	}
}

// keep gives what of a filter a run heeds. Without a status it is the failed
// ones: what waits already, or is under way, is not resent.
func (f *DeliveryFilter) keep() (keptFilter, error) {
	k := keptFilter{f.WebhookID, f.AgentID, f.Event, Failed, f.Error, f.Code, f.From, f.To, f.Text}
	if len(f.Status) > 0 {
		k.Status = f.Status[0]
	}
	if len(f.Status) > 1 || !k.Status.Finished() || f.Held {
		return k, invalid("status", "only finished deliveries can be resent; choose failed, dead or delivered")
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return k, invalid("to", "must be later than from")
	}
	return k, nil
}

// NewResend asks for a run.
type NewResend struct {
	// Filter may have one status, of finished ones; none: failed. Its places in
	// pages count nothing.
	Filter DeliveryFilter
	// Pace is how many a minute; 0: as fast as the account's rate allows.
	Pace int
	By   string
}

// maxPace is the fastest pace that can be asked for, per minute.
const maxPace = 100_000

// StartResend begins a run and gives it with how many it may resend.
// CodeConflict where another of the account has not ended, and where the webhook
// asked for was deleted.
func (s *Store) StartResend(ctx context.Context, account uuid.UUID, n NewResend) (ResendRun, ResendPreview, error) {
	if n.Pace < 0 || n.Pace > maxPace {
		return ResendRun{}, ResendPreview{}, invalid("pace", "must be from 1 to 100000 a minute, or 0 for as fast as the rate allows")
	}
	kept, err := n.Filter.keep()
	if err != nil {
		return ResendRun{}, ResendPreview{}, err
	}
	p, err := s.previewResend(ctx, account, kept.filter())
	if err != nil {
		return ResendRun{}, p, err
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return ResendRun{}, p, err
	}
	row := resendRow{Kept: string(text), ResendRun: ResendRun{
		ID: s.newID(), AccountID: account, Pace: n.Pace, State: ResendRunning, Counted: p.All, CreatedBy: n.By, ChangedBy: n.By,
	}}
	if p.All {
		row.Total = p.Count
	}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		row.CreatedAt, row.ChangedAt = Time{fromMicros(now)}, Time{fromMicros(now)}
		_, err = tx.NewInsert().Model(&row).Exec(ctx)
		return row.changes(true), err
	})
	if err != nil && s.d.isDuplicate(err) {
		return ResendRun{}, p, conflict("another resend of this account has not ended; wait for it, or cancel it first")
	}
	if err != nil {
		return ResendRun{}, p, err
	}
	run, err := row.run()
	return run, p, err
}

// changes tells pages of the run; due also the worker.
func (r *resendRow) changes(due bool) []Change {
	return []Change{{Kind: ChangeResend, AccountID: r.AccountID, ID: r.ID, Due: due}}
}

// ResendRun finds a run of the account.
func (s *Store) ResendRun(ctx context.Context, account, id uuid.UUID) (ResendRun, error) {
	list, err := s.resendRuns(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("r.id = ? AND r.account_id = ?", id, account)
	})
	if err != nil || len(list) == 0 {
		return ResendRun{}, orNotFound(err)
	}
	return list[0], nil
}

// ResendRuns lists the newest runs of the account, newest first.
func (s *Store) ResendRuns(ctx context.Context, account uuid.UUID, limit int) ([]ResendRun, error) {
	return s.resendRuns(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("r.account_id = ?", account).Order("r.id DESC").Limit(int64(limit))
	})
}

func (s *Store) resendRuns(ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]ResendRun, error) {
	var rows []resendRow
	if err := narrow(s.ro.NewSelect().Model(&rows)).Scan(ctx); err != nil {
		return nil, s.wrap(err)
	}
	runs := make([]ResendRun, len(rows))
	for i := range rows {
		var err error
		if runs[i], err = rows[i].run(); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// ChangeResend pauses a run, goes on with it or cancels it: to is ResendPaused,
// ResendRunning or ResendCancelled. CodeConflict where it has ended otherwise.
func (s *Store) ChangeResend(ctx context.Context, account, id uuid.UUID, to, by string) (ResendRun, error) {
	var row *resendRow
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) (changes []Change, err error) {
		if row, err = s.lockResend(ctx, tx, id); err != nil || row.AccountID != account {
			return nil, orNotFound(err)
		}
		if row.State == to {
			return nil, nil
		}
		if !row.EndedAt.IsZero() {
			return nil, conflict("this resend has ended already")
		}
		now, err := s.clock(ctx, tx)
		if err != nil {
			return nil, err
		}
		row.State, row.ChangedBy, row.ChangedAt = to, by, Time{fromMicros(now)}
		if to == ResendCancelled {
			row.EndedAt = row.ChangedAt
		}
		_, err = tx.NewUpdate().Model(row).Column("state", "changed_by", "changed_at", "ended_at").WherePK().Exec(ctx)
		return row.changes(true), err
	})
	if err != nil {
		return ResendRun{}, err
	}
	return row.run()
}

// lockResend locks a run, which comes before its queues in the order of locks.
func (s *Store) lockResend(ctx context.Context, tx bun.Tx, id uuid.UUID) (*resendRow, error) {
	var row resendRow
	err := tx.NewRaw("SELECT * FROM resends WHERE id = ?"+s.d.forUpdate(), id).Scan(ctx, &row)
	return &row, err
}
