package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"belfry/store/uuid"
)

// auditBatch is how many webhooks an audit reads at once.
const auditBatch = 500

// CheckSecrets decrypts every secret that is kept, and tells how many there
// are. The error says how many of them the key does not fit, and whose is the
// first.
func (s *Store) CheckSecrets(ctx context.Context) (secrets int, err error) {
	c := &secretCheck{s: s}
	if err := c.webhooks(ctx); err != nil {
		return 0, s.wrap(err)
	}
	if err := c.tests(ctx); err != nil {
		return 0, s.wrap(err)
	}
	if c.bad > 0 {
		return c.secrets, fmt.Errorf("%d of %d secrets can't be decrypted, first the %s: bring back the secret key they were kept with, or give the webhooks new ones", c.bad, c.secrets, c.first)
	}
	return c.secrets, nil
}

type secretCheck struct {
	s            *Store
	secrets, bad int
	first        string
}

// open tries one value; what and id are its place, words say what it is.
func (c *secretCheck) open(what string, id uuid.UUID, words string, sealed []byte) {
	if sealed == nil {
		return
	}
	c.secrets++
	if _, err := c.s.seal.open(place(what, id), sealed); err != nil {
		if c.bad++; c.bad == 1 {
			c.first = words + " " + id.String()
		}
	}
}

func (c *secretCheck) webhooks(ctx context.Context) error {
	for at := uuid.Nil; ; {
		var rows []webhookRow
		err := c.s.ro.NewSelect().Model(&rows).Column("id", "secret", "next_secret", "headers").Where("id > ?", at).Order("id").Limit(auditBatch).Scan(ctx)
		for _, r := range rows {
			at = r.ID
			c.open("secret", r.ID, "secret of webhook", r.Secret)
			c.open("secret", r.ID, "next secret of webhook", r.NextSecret)
			c.open("headers", r.ID, "headers of webhook", r.Headers)
		}
		if err != nil || len(rows) < auditBatch {
			return err
		}
	}
}

// tests opens the secrets that were typed for tests to free URLs and are still
// to be used.
func (c *secretCheck) tests(ctx context.Context) error {
	var rows []deliveryRow
	err := c.s.ro.NewSelect().Model(&rows).Column("id", "secret").
		Where("queue_id IN (SELECT id FROM accounts) AND status = 0 AND secret IS NOT NULL").Scan(ctx)
	for _, r := range rows {
		c.open("test", r.ID, "secret of test", r.Secret)
	}
	return err
}

// CountsCheck is how far the counts were compared with the rows.
type CountsCheck struct {
	Queues, Of int   // queues compared, of so many
	Rows       int64 // deliveries counted
}

// CheckCounts compares what each queue says it holds with its deliveries, one
// queue after the other, for the time given at most. The error names the
// queues whose counts are wrong.
func (s *Store) CheckCounts(ctx context.Context, most time.Duration) (CountsCheck, error) {
	var queues []queueRow
	if err := s.ro.NewSelect().Model(&queues).Order("id").Scan(ctx); err != nil {
		return CountsCheck{}, s.wrap(err)
	}
	c, end := CountsCheck{Of: len(queues)}, time.Now().Add(most)
	var wrong []error
	for i := range queues {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		call, cancel := context.WithTimeout(ctx, left)
		kept, counted, err := s.counted(call, &queues[i])
		over := call.Err() != nil && ctx.Err() == nil
		cancel()
		if over {
			break
		}
		if err != nil {
			return c, s.wrap(err)
		}
		c.Queues++
		c.Rows += counted.Total()
		if kept != counted {
			wrong = append(wrong, fmt.Errorf("webhook %s: its counts say %v, its deliveries are %v", queues[i].ID, kept, counted))
		}
	}
	return c, errors.Join(wrong...)
}

// counted reads a queue's counts and counts its deliveries at one moment. What
// is open in a deleted queue counts as dead, as it does for pages.
func (s *Store) counted(ctx context.Context, q *queueRow) (kept, counted Summary, err error) {
	join := "d.webhook_id = q.webhook_id AND NOT d.test"
	if q.WebhookID == uuid.Nil {
		join = "d.queue_id = q.id AND d.test"
	}
	var row struct {
		Deleted                                      bool
		Pending, Processing, Delivered, Failed, Dead int64
		R0, R1, R2, R3, R4                           int64
	}
	err = s.ro.NewRaw(`SELECT q.deleted, q.pending, q.processing, q.delivered, q.failed, q.dead,
			count(CASE WHEN d.status = 0 THEN 1 END) AS r0, count(CASE WHEN d.status = 1 THEN 1 END) AS r1, count(CASE WHEN d.status = 2 THEN 1 END) AS r2,
			count(CASE WHEN d.status = 3 THEN 1 END) AS r3, count(CASE WHEN d.status = 4 THEN 1 END) AS r4
		FROM queues q LEFT JOIN deliveries d ON `+join+` WHERE q.id = ? GROUP BY q.id`, q.ID).Scan(ctx, &row)
	if row.Deleted {
		row.R4, row.R0, row.R1 = row.R4+row.R0+row.R1, 0, 0
	}
	return Summary{row.Pending, row.Processing, row.Delivered, row.Failed, row.Dead}, Summary{row.R0, row.R1, row.R2, row.R3, row.R4}, err
}

// String names the counts.
func (s Summary) String() string {
	return fmt.Sprintf("%d pending, %d processing, %d delivered, %d failed, %d dead", s.Pending, s.Processing, s.Delivered, s.Failed, s.Dead)
}
