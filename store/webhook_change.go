package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// webhookEdit is one webhook locked for a change.
type webhookEdit struct {
	*webhookRow
	state   *accountState
	now     Time
	changes []Change
}

// editWebhook locks the account and the webhook, lets change alter the row, and
// writes it with a new version. Writes to a deleted webhook are CodeGone.
func (s *Store) editWebhook(ctx context.Context, account, id uuid.UUID, change func(context.Context, bun.Tx, *webhookEdit) error) (Webhook, error) {
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		state, err := s.lockAccount(ctx, tx, account)
		if err != nil {
			return nil, err
		}
		rows, err := webhookRows(ctx, tx, "account_id = ? AND id = ?", account, id)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, notFound()
		}
		if !rows[0].DeletedAt.IsZero() {
			return nil, errDeleted()
		}
		e := &webhookEdit{webhookRow: &rows[0], state: state, now: Time{fromMicros(state.Now)}}
		if err := change(ctx, tx, e); err != nil {
			return nil, err
		}
		e.Version++
		e.UpdatedAt = e.now
		if _, err := tx.NewUpdate().Model(e.webhookRow).Where("id = ?", id).Exec(ctx); err != nil {
			return nil, s.duplicateEndpoint(err)
		}
		e.changes = append(e.changes, Change{Kind: ChangeWebhook, AccountID: account, ID: id, WebhookID: id, Due: true})
		return e.changes, bump(ctx, tx, account)
	})
	if err != nil {
		return Webhook{}, err
	}
	return s.webhook(ctx, s.db, account, id)
}

func errDeleted() *Error {
	return &Error{Code: CodeGone, Detail: "this webhook was deleted; its log stays readable, nothing else can be done with it"}
}

// UpdateWebhook changes what the patch names. warning is for the admin, where
// the new URL's name does not resolve now.
func (s *Store) UpdateWebhook(ctx context.Context, account, id uuid.UUID, p WebhookPatch) (w Webhook, warning string, err error) {
	if w, err = s.Webhook(ctx, account, id); err != nil {
		return w, "", err
	}
	if !w.DeletedAt.IsZero() {
		return w, "", errDeleted()
	}
	if warning, err = s.checkPatch(ctx, account, &p); err != nil {
		return w, "", err
	}
	w, err = s.editWebhook(ctx, account, id, func(ctx context.Context, tx bun.Tx, e *webhookEdit) error {
		if p.Version != 0 && p.Version != e.Version {
			return conflict("somebody else changed this webhook meanwhile; look at both values and save again")
		}
		return s.applyPatch(ctx, tx, e, p)
	})
	return w, warning, err
}

func (s *Store) checkPatch(ctx context.Context, account uuid.UUID, p *WebhookPatch) (warning string, err error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return "", err
	}
	var bad faults
	if p.URL != nil {
		warning = s.checkURL(ctx, a.Name, *p.URL, &bad)
	}
	if p.AgentID != nil {
		checkAgent(*p.AgentID, &bad)
	}
	if p.Description != nil {
		checkDescription(*p.Description, &bad)
	}
	if p.Headers != nil {
		checkHeaders(*p.Headers, a.HeaderPrefix, &bad)
	}
	if p.Events != nil {
		types, err := s.knownTypes(ctx, s.ro, account)
		if err != nil {
			return "", s.wrap(err)
		}
		events := checkEvents(*p.Events, types, &bad)
		p.Events = &events
	}
	return warning, bad.err()
}

func (s *Store) applyPatch(ctx context.Context, tx bun.Tx, e *webhookEdit, p WebhookPatch) error {
	moved := p.URL != nil && *p.URL != e.URL
	rebound := p.AgentID != nil && *p.AgentID != e.AgentID
	setIf(&e.URL, p.URL)
	setIf(&e.AgentID, p.AgentID)
	setIf(&e.Description, p.Description)
	if p.Events != nil {
		e.Events = jsonText(*p.Events)
	}
	if moved || rebound {
		if err := s.checkUnique(ctx, tx, e.AccountID, e.ID, e.URL, e.AgentID); err != nil {
			return err
		}
	}
	if p.Headers != nil {
		if err := s.setHeaders(e, *p.Headers); err != nil {
			return err
		}
	}
	if p.Active != nil && *p.Active != e.Active {
		return s.setActive(ctx, tx, e, *p.Active, p.By)
	}
	if moved {
		return healed(ctx, tx, e.ID)
	}
	return nil
}

func setIf(field, value *string) {
	if value != nil {
		*field = *value
	}
}

// setHeaders keeps the stored value of each header that still shows its mask.
func (s *Store) setHeaders(e *webhookEdit, headers []Header) error {
	var kept []Header
	sealed, err := s.seal.open(place("headers", e.ID), e.Headers)
	if err != nil {
		return err
	}
	if sealed != nil {
		if err := json.Unmarshal(sealed, &kept); err != nil {
			return err
		}
	}
	for i, h := range headers {
		for _, k := range kept {
			if k.Name == h.Name && h.Value == Mask(k.Value) {
				headers[i].Value = k.Value
			}
		}
	}
	if e.Headers = nil; len(headers) > 0 {
		e.Headers = s.seal.close(place("headers", e.ID), []byte(jsonText(headers)))
	}
	return nil
}

// setActive pauses or resumes by hand. Resuming forgets old failures and lets
// what was held go on, oldest first and paced.
func (s *Store) setActive(ctx context.Context, tx bun.Tx, e *webhookEdit, active bool, by string) error {
	e.Active, e.ActiveSince, e.ChangedBy = active, e.now, by
	if !active {
		e.DisabledReason = ReasonManual
		_, err := tx.NewRaw("UPDATE queues SET paused = ? WHERE id = ?", true, e.ID).Exec(ctx)
		return err
	}
	e.DisabledReason = ""
	_, err := tx.NewRaw("UPDATE queues SET paused = ?, resumed_at = ? WHERE id = ?", false, e.now, e.ID).Exec(ctx)
	if err != nil {
		return err
	}
	return healed(ctx, tx, e.ID)
}

// healed forgets the failures of a webhook whose endpoint is another one now.
func healed(ctx context.Context, tx bun.Tx, id uuid.UUID) error {
	_, err := tx.NewRaw(`UPDATE queues SET failures_in_row = 0, failed_since_success = 0, failing_since = NULL,
		probing = ?, probing_since = NULL, probe_at = NULL, probe_step = 0 WHERE id = ?`, false, id).Exec(ctx)
	return err
}

// RotateSecret gives the webhook a new secret, told only here. Until the
// overlap ends the old one stays primary; from none to a secret there is no
// overlap. CodeConflict inside an overlap unless overlap is 0.
func (s *Store) RotateSecret(ctx context.Context, account, id uuid.UUID, choice SecretChoice, overlap time.Duration) (secret string, w Webhook, err error) {
	var bad faults
	if overlap < 0 || overlap > 168*time.Hour {
		bad.add("overlap_hours", "the overlap lasts 0 to 168 hours")
	}
	secret = checkSecret(choice, &bad)
	if err := bad.err(); err != nil {
		return "", w, err
	}
	w, err = s.editWebhook(ctx, account, id, func(ctx context.Context, tx bun.Tx, e *webhookEdit) error {
		overlapping := e.NextSecret != nil && e.OverlapEndsAt.After(e.now.Time)
		if overlapping && overlap > 0 {
			return conflict("the last rotation still overlaps; wait for its end, switch now, or rotate with overlap_hours 0")
		}
		if e.NextSecret != nil && !overlapping {
			e.Secret = e.NextSecret
		}
		e.RotatedAt, e.NextSecret, e.OverlapEndsAt = e.now, nil, Time{}
		sealed := s.sealText(place("secret", id), secret)
		if e.Secret == nil || overlap == 0 || sealed == nil {
			e.Secret = sealed
			return nil
		}
		e.NextSecret, e.OverlapEndsAt = sealed, At(e.now.Add(overlap))
		return nil
	})
	return secret, w, err
}

// SwitchSecret ends a rotation's overlap now: only the new secret signs.
func (s *Store) SwitchSecret(ctx context.Context, account, id uuid.UUID) (Webhook, error) {
	return s.editWebhook(ctx, account, id, func(ctx context.Context, tx bun.Tx, e *webhookEdit) error {
		if e.NextSecret == nil {
			return conflict("no rotation is under way")
		}
		e.Secret, e.NextSecret, e.OverlapEndsAt = e.NextSecret, nil, Time{}
		return nil
	})
}

// DeleteWebhook removes the webhook for good: secret and headers are
// destroyed, what waits or is under way is dead. The log stays readable.
func (s *Store) DeleteWebhook(ctx context.Context, account, id uuid.UUID) error {
	_, err := s.editWebhook(ctx, account, id, func(ctx context.Context, tx bun.Tx, e *webhookEdit) error {
		e.DeletedAt, e.Active = e.now, false
		e.Secret, e.NextSecret, e.Headers, e.OverlapEndsAt = nil, nil, nil, Time{}
		_, err := tx.NewRaw(`UPDATE queues SET deleted = ?, paused = ?, dead = dead + pending + processing, pending = 0, processing = 0, due_at = NULL
			WHERE id = ?`, true, true, id).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("DELETE FROM missed_events WHERE webhook_id = ?", id).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for swept := sweepBatch; swept == sweepBatch && err == nil; {
		swept, err = s.sweepDeleted(ctx, id)
	}
	return err
}

// sweepBatch is how many deliveries of a deleted webhook die in one commit.
const sweepBatch = 2000

// sweepDeleted writes to the rows what the deletion already says of them: those
// that wait, and the few that are under way.
func (s *Store) sweepDeleted(ctx context.Context, id uuid.UUID) (int, error) {
	waiting, err := s.sweepSome(ctx, id, sweepPending)
	if err != nil || waiting == sweepBatch {
		return waiting, err
	}
	return s.sweepSome(ctx, id, sweepLeased)
}

// What of a webhook is swept. What is under way is few, all webhooks' together:
// looking through those leaves alone the rest of the webhook's, which may be
// millions and to which its own index would lead.
const (
	sweepPending = "SELECT id FROM deliveries WHERE webhook_id = ? AND status = 0 AND NOT test LIMIT ?"
	sweepLeased  = `WITH leased AS MATERIALIZED (SELECT id, webhook_id, test FROM deliveries WHERE status = 1)
		SELECT id FROM leased WHERE webhook_id = ? AND NOT test LIMIT ?`
)

func (s *Store) sweepSome(ctx context.Context, id uuid.UUID, find string) (int, error) {
	var n int64
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		res, err := tx.NewRaw(`UPDATE deliveries SET status = ?, finished_at = `+s.nowSQL()+`, next_attempt_at = NULL
			WHERE id IN (`+find+`)`, Dead, id, sweepBatch).Exec(ctx)
		if err != nil {
			return nil, err
		}
		n, err = res.RowsAffected()
		return nil, err
	})
	return int(n), err
}
