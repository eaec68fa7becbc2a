package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// What became of a delivery of a run.
const (
	OutcomeWaiting   = "waiting"
	OutcomeDelivered = "delivered"
	OutcomeFailed    = "failed"
	OutcomeDead      = "dead"
	OutcomeSkipped   = "skipped"
	// OutcomeRemoved is one that retention removed before its end was noted.
	OutcomeRemoved = "removed"
)

// settleBatch is how many waiting deliveries of a run one look goes through.
const settleBatch = 500

// ResendResult is a delivery of a run.
type ResendResult struct {
	DeliveryID uuid.UUID
	Outcome    string
	// Delivery is as it stands now; its id is zero where retention removed it.
	Delivery Delivery
}

// ResendResults lists the deliveries of a run of the account, those resent last
// first, of one outcome where it isn't empty. before is the delivery that ended
// the last page; zero: from the first. more says that there are others.
func (s *Store) ResendResults(ctx context.Context, account, run uuid.UUID, outcome string, before uuid.UUID, limit int) (list []ResendResult, more bool, err error) {
	if _, err := s.ResendRun(ctx, account, run); err != nil {
		return nil, false, err
	}
	q := s.ro.NewSelect().TableExpr("resend_deliveries").Column("delivery_id", "outcome").Where("resend_id = ?", run)
	if outcome != "" {
		q = q.Where("outcome = ?", outcome)
	}
	if before != uuid.Nil {
		q = q.Where("delivery_id < ?", before)
	}
	var rows []struct {
		DeliveryID uuid.UUID
		Outcome    string
	}
	if err := q.Order("delivery_id DESC").Limit(int64(limit)+1).Scan(ctx, &rows); err != nil {
		return nil, false, s.wrap(err)
	}
	rows, more = trimPage(rows, limit, false)
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.DeliveryID
	}
	now, err := s.deliveriesByID(ctx, ids)
	for _, r := range rows {
		list = append(list, ResendResult{r.DeliveryID, r.Outcome, now[r.DeliveryID]})
	}
	return list, more, err
}

func (s *Store) deliveriesByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]Delivery, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := s.deliveries(ctx, s.ro, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("d.id IN (?)", bun.List(ids)) })
	byID := make(map[uuid.UUID]Delivery, len(list))
	for _, d := range list {
		byID[d.ID] = d
	}
	return byID, err
}

// settle notes how the next deliveries of a run ended that had not when they
// were looked at last.
func (r *Resender) settle(ctx context.Context, row *resendRow) error {
	for {
		var rows []struct {
			DeliveryID uuid.UUID
			Status     *Status
		}
		err := r.s.ro.NewRaw(`SELECT rd.delivery_id, d.status FROM resend_deliveries rd LEFT JOIN deliveries d ON d.id = rd.delivery_id
			WHERE rd.resend_id = ? AND rd.outcome = ? AND rd.delivery_id > ? ORDER BY rd.delivery_id LIMIT ?`,
			row.ID, OutcomeWaiting, r.looked[row.ID], settleBatch).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		ended, n := map[string][]uuid.UUID{}, 0
		for _, d := range rows {
			if outcome := outcomeOf(d.Status); outcome != OutcomeWaiting {
				ended[outcome] = append(ended[outcome], d.DeliveryID)
				n++
			}
		}
		begun := r.looked[row.ID] == uuid.Nil
		if r.looked[row.ID] = uuid.Nil; len(rows) == settleBatch {
			r.looked[row.ID] = rows[settleBatch-1].DeliveryID
		}
		if n > 0 || len(rows) == 0 && begun && !row.EndedAt.IsZero() {
			err = r.s.keepOutcomes(ctx, row.ID, ended)
		}
		if err != nil || n < settleBatch/2 {
			return err
		}
	}
}

func outcomeOf(status *Status) string {
	switch {
	case status == nil:
		return OutcomeRemoved
	case status.Finished():
		return status.String()
	}
	return OutcomeWaiting
}

// keepOutcomes writes how deliveries of a run ended, and whether that were all.
func (s *Store) keepOutcomes(ctx context.Context, id uuid.UUID, ended map[string][]uuid.UUID) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		row, err := s.lockResend(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		for outcome, ids := range ended {
			res, err := tx.NewRaw("UPDATE resend_deliveries SET outcome = ? WHERE resend_id = ? AND delivery_id IN (?) AND outcome = ?",
				outcome, id, bun.List(ids), OutcomeWaiting).Exec(ctx)
			if err != nil {
				return nil, err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return nil, err
			}
			row.ended(outcome, int(n))
		}
		left, err := tx.NewSelect().TableExpr("resend_deliveries").Where("resend_id = ? AND outcome = ?", id, OutcomeWaiting).Exists(ctx)
		if err != nil {
			return nil, err
		}
		row.Settled = !left && !row.EndedAt.IsZero()
		_, err = tx.NewUpdate().Model(row).Column("delivered", "failed", "dead", "settled").WherePK().Exec(ctx)
		return row.changes(false), err
	})
}

func (r *resendRow) ended(outcome string, n int) {
	switch outcome {
	case OutcomeDelivered:
		r.Delivered += n
	case OutcomeFailed:
		r.Failed += n
	case OutcomeDead:
		r.Dead += n
	}
}

// removeResends forgets the runs that ended before then.
func (t *Tidier) removeResends(ctx context.Context, before time.Time) error {
	var ids []uuid.UUID
	err := t.s.ro.NewRaw("SELECT id FROM resends WHERE id < ? AND ended_at < ? ORDER BY id LIMIT ?", idAt(before), micros(before), tidyLook).Scan(ctx, &ids)
	for _, id := range ids {
		if err == nil {
			err = repeat(ctx, func() (bool, error) { return t.removeResend(ctx, id) })
		}
	}
	return err
}

func (t *Tidier) removeResend(ctx context.Context, id uuid.UUID) (more bool, err error) {
	err = t.s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		res, err := tx.NewRaw(`DELETE FROM resend_deliveries WHERE resend_id = ? AND delivery_id IN
			(SELECT delivery_id FROM resend_deliveries WHERE resend_id = ? ORDER BY delivery_id LIMIT ?)`, id, id, tidyBatch).Exec(ctx)
		if err != nil {
			return nil, err
		}
		n, err := res.RowsAffected()
		if more = n == tidyBatch; err != nil || more {
			return nil, err
		}
		_, err = tx.NewRaw("DELETE FROM resends WHERE id = ?", id).Exec(ctx)
		return nil, err
	})
	return more, err
}

// removeResults forgets what became of the deliveries of all runs up to an id,
// where that is known. The runs keep how many there were. A join of another kind
// would have SQLite go through all that there is.
func (t *Tidier) removeResults(ctx context.Context, to uuid.UUID) error {
	known := []string{OutcomeDelivered, OutcomeFailed, OutcomeDead, OutcomeSkipped, OutcomeRemoved}
	return repeat(ctx, func() (bool, error) {
		res, err := t.s.db.NewRaw(`DELETE FROM resend_deliveries WHERE (resend_id, delivery_id) IN (SELECT d.resend_id, d.delivery_id
			FROM resends r CROSS JOIN resend_deliveries d WHERE d.resend_id = r.id AND d.outcome IN (?) AND d.delivery_id <= ? LIMIT ?)`,
			bun.List(known), to, tidyBatch).Exec(ctx)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n == tidyBatch, err
	})
}
