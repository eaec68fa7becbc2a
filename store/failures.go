package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// failuresLooked is how many of an account's newest deliveries of one kind of
// failure are looked at for one of a certain webhook.
const failuresLooked = 500

// LastFailure is the newest delivery of a webhook whose last attempt ended in a
// kind of failure.
type LastFailure struct {
	DeliveryID uuid.UUID // zero: there is none among the newest
	Detail     string    // a sentence for people
	MovedTo    string    // where a redirect leads; empty: it was none, or didn't say
}

// LastFailures finds an example of each kind of failure, in their order. It
// looks at the newest deliveries only that ended so.
func (s *Store) LastFailures(ctx context.Context, account, webhook uuid.UUID, kinds []KindCount) ([]LastFailure, error) {
	list := make([]LastFailure, len(kinds))
	for i, k := range kinds {
		var rows []deliveryRow
		err := s.ro.NewRaw(`SELECT id, last_detail FROM (SELECT id, webhook_id, last_status_code, last_detail, test FROM deliveries
			WHERE account_id = ? AND last_error = ? ORDER BY id DESC LIMIT ?) AS lately
			WHERE webhook_id = ? AND coalesce(last_status_code, 0) = ? AND NOT test ORDER BY id DESC LIMIT 1`,
			account, k.Kind, failuresLooked, webhook, k.Code).Scan(ctx, &rows)
		if err != nil {
			return nil, s.wrap(err)
		}
		if len(rows) == 0 {
			continue
		}
		list[i] = LastFailure{DeliveryID: rows[0].ID, Detail: rows[0].LastDetail}
		if k.Kind == "redirect" {
			if list[i].MovedTo, err = s.movedTo(ctx, s.ro, rows[0].ID); err != nil {
				return nil, s.wrap(err)
			}
		}
	}
	return list, nil
}

// movedTo is where the last answer to a delivery leads.
func (s *Store) movedTo(ctx context.Context, db bun.IDB, delivery uuid.UUID) (string, error) {
	var kept []string
	err := db.NewRaw("SELECT coalesce(response_headers, '') FROM attempts WHERE delivery_id = ? ORDER BY number DESC LIMIT 1", delivery).Scan(ctx, &kept)
	if err != nil || len(kept) == 0 || kept[0] == "" {
		return "", err
	}
	var headers []Header
	if err := json.Unmarshal([]byte(kept[0]), &headers); err != nil {
		return "", err
	}
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Location") {
			return h.Value, nil
		}
	}
	return "", nil
}
