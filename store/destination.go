package store

import (
	"context"

	"belfry/store/uuid"
)

// Destination is where an active webhook leads.
type Destination struct {
	Webhook uuid.UUID
	Account string // the account's name
	URL     string
}

// Destinations are those of the active webhooks of all accounts, most of them at
// most; the test inbox is none.
func (s *Store) Destinations(ctx context.Context, most int) ([]Destination, error) {
	var list []Destination
	err := s.ro.NewRaw(`SELECT w.id AS webhook, a.name AS account, w.url AS url FROM webhooks w JOIN accounts a ON a.id = w.account_id
		WHERE w.active AND w.deleted_at IS NULL AND w.url <> ? ORDER BY w.id LIMIT ?`, InboxURL, most).Scan(ctx, &list)
	return list, s.wrap(err)
}
