package store

import (
	"context"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// resendCounted is how far a preview counts.
const resendCounted = 10_000

// ResendPreview is what a run would resend.
type ResendPreview struct {
	// Count is how many match, skipped ones among them. All says that these are
	// all; else they are those of the newest rows that were looked at, or the
	// first 10 000.
	Count int
	All   bool
	// Targets are the webhooks that they go to, the one with most first.
	Targets []ResendTarget
}

// Skipped is how many of them have no webhook to go to any more.
func (p *ResendPreview) Skipped() (n int) {
	for _, t := range p.Targets {
		if t.Deleted {
			n += t.Count
		}
	}
	return n
}

// ResendTarget is a webhook of a preview.
type ResendTarget struct {
	WebhookID uuid.UUID
	URL       string
	Count     int
	Paused    bool // what is resent to it is held
	Deleted   bool // what is its is skipped
	Probing   bool
}

// PreviewResend counts what a run with that filter would resend if it began
// now, by webhook. It reads 20 000 rows at most.
func (s *Store) PreviewResend(ctx context.Context, account uuid.UUID, f DeliveryFilter) (ResendPreview, error) {
	kept, err := f.keep()
	if err != nil {
		return ResendPreview{}, err
	}
	return s.previewResend(ctx, account, kept.filter())
}

func (s *Store) previewResend(ctx context.Context, account uuid.UUID, f DeliveryFilter) (p ResendPreview, err error) {
	if f.WebhookID != uuid.Nil {
		if _, err := s.liveWebhook(ctx, account, f.WebhookID); err != nil {
			return p, err
		}
	}
	err = s.inTurn(ctx, account, func() error {
		n, err := s.narrow(ctx, account, f)
		if err != nil {
			return err
		}
		w := &search[deliveryRow]{s: s, narrowing: n}
		end, err := w.end(ctx, w.mostRows())
		if err != nil {
			return err
		}
		counted := w.matching(s.ro.NewSelect().Model((*deliveryRow)(nil)).ColumnExpr("?TableAlias.queue_id"), end).Limit(resendCounted + 1)
		err = s.ro.NewRaw(`SELECT m.n AS count, q.webhook_id, q.paused, q.deleted, q.probing, w.url FROM (SELECT queue_id, count(*) AS n FROM (?) AS matching GROUP BY queue_id) AS m
			JOIN queues q ON q.id = m.queue_id JOIN webhooks w ON w.id = q.webhook_id ORDER BY m.n DESC, q.id`, counted).Scan(ctx, &p.Targets)
		p.All = end == uuid.Nil
		return err
	})
	for _, t := range p.Targets {
		p.Count += t.Count
	}
	p.All, p.Count = p.All && p.Count <= resendCounted, min(p.Count, resendCounted)
	return p, err
}

// countResend counts the next part of what a run will resend, where a preview
// could not count all of it.
func (s *Store) countResend(ctx context.Context, row *resendRow) (more bool, err error) {
	w, err := s.searchResend(ctx, row, row.CountedTo)
	if err != nil {
		return false, err
	}
	end, err := w.end(ctx, s.searchRows())
	if err != nil {
		return false, err
	}
	n, err := w.count(ctx, s.searchRows(), end)
	if err != nil {
		return false, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		res, err := tx.NewRaw("UPDATE resends SET total = total + ?, counted_to = ?, counted = ? WHERE id = ? AND counted_to = ? AND NOT counted AND state = ?",
			n, end, end == uuid.Nil, row.ID, row.CountedTo, ResendRunning).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if changed, err := res.RowsAffected(); err != nil || changed == 0 {
			return nil, err // another node counts, or it was paused
		}
		return row.changes(false), nil
	})
	return true, err
}

// searchResend walks upwards through what a run resends, from a place on.
func (s *Store) searchResend(ctx context.Context, row *resendRow, from uuid.UUID) (*search[deliveryRow], error) {
	run, err := row.run()
	if err != nil {
		return nil, err
	}
	n, err := s.narrow(ctx, row.AccountID, run.Filter)
	if err != nil {
		return nil, err
	}
	n.ask("d.finished_at <= ?", row.CreatedAt)
	return &search[deliveryRow]{s: s, narrowing: n, without: []string{"secret"}, back: true, at: from}, nil
}
