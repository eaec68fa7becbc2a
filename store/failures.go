package store

import (
	"context"
	"strings"

	"belfry/store/uuid"
)

// failuresLooked is how many of the newest failures of one kind are looked at for
// one of a certain webhook, and then how many of its newest deliveries.
const failuresLooked = 500

// LastFailure is the newest delivery of a webhook with an attempt that ended in
// a kind of failure.
type LastFailure struct {
	DeliveryID uuid.UUID // zero: there is none among the newest
	Detail     string    // a sentence for people
	MovedTo    string    // where a redirect leads; empty: it was none, or didn't say
}

// LastFailures finds an example of each kind of failure, in their order: first
// among the newest failures of that kind, then among the webhook's newest
// deliveries. It looks at the newest only.
func (s *Store) LastFailures(ctx context.Context, account, webhook uuid.UUID, kinds []KindCount) ([]LastFailure, error) {
	list, missing := make([]LastFailure, len(kinds)), false
	if _, err := s.Webhook(ctx, account, webhook); err != nil || len(kinds) == 0 {
		return list, err
	}
	for i, k := range kinds {
		var rows []attemptRow
		// The webhook as a value, not by a join, which SQLite might begin with all of
		// the webhook's deliveries. In the order of the index it ends at the first.
		err := s.ro.NewRaw(`SELECT a.delivery_id, a.detail FROM (SELECT delivery_id, detail, status_code FROM attempts
			WHERE error = ? ORDER BY delivery_id DESC LIMIT ?) AS a
			WHERE (SELECT d.webhook_id FROM deliveries d WHERE d.id = a.delivery_id AND NOT d.test) = ? AND coalesce(a.status_code, 0) = ?
			ORDER BY a.delivery_id DESC LIMIT 1`,
			k.Kind, failuresLooked, webhook, k.Code).Scan(ctx, &rows)
		if err != nil {
			return nil, s.wrap(err)
		}
		if len(rows) == 0 {
			missing = true
			continue
		}
		list[i] = LastFailure{DeliveryID: rows[0].DeliveryID, Detail: rows[0].Detail}
	}
	if missing {
		if err := s.failedLately(ctx, webhook, kinds, list); err != nil {
			return nil, s.wrap(err)
		}
	}
	return list, s.wrap(s.moved(ctx, kinds, list))
}

// failedLately fills in what is missing from the webhook's newest deliveries.
func (s *Store) failedLately(ctx context.Context, webhook uuid.UUID, kinds []KindCount, list []LastFailure) error {
	var rows []attemptRow
	err := s.ro.NewRaw(`SELECT a.delivery_id, a.status_code, a.error, a.detail FROM (
			SELECT id, test FROM deliveries WHERE webhook_id = ? ORDER BY id DESC LIMIT ?
		) AS newest JOIN attempts a ON a.delivery_id = newest.id WHERE a.error IS NOT NULL AND NOT newest.test ORDER BY a.delivery_id DESC, a.number DESC LIMIT ?`,
		webhook, failuresLooked, failuresLooked).Scan(ctx, &rows)
	for _, r := range rows {
		for i, k := range kinds {
			if list[i].DeliveryID == uuid.Nil && k.Kind == r.Error && k.Code == r.StatusCode {
				list[i] = LastFailure{DeliveryID: r.DeliveryID, Detail: r.Detail}
			}
		}
	}
	return err
}

// moved fills in where redirects lead.
func (s *Store) moved(ctx context.Context, kinds []KindCount, list []LastFailure) error {
	for i, k := range kinds {
		if k.Kind != "redirect" || list[i].DeliveryID == uuid.Nil {
			continue
		}
		var kept []string
		err := s.ro.NewRaw("SELECT coalesce(response_headers, '') FROM attempts WHERE delivery_id = ? AND error = ? ORDER BY number DESC LIMIT 1",
			list[i].DeliveryID, k.Kind).Scan(ctx, &kept)
		if err != nil {
			return err
		}
		for _, text := range kept {
			list[i].MovedTo = locationIn(text)
		}
	}
	return nil
}

// locationIn is the Location of headers as they are kept; empty where there is
// none.
func locationIn(kept string) string {
	headers, err := unpackHeaders(kept)
	if err != nil {
		return ""
	}
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Location") {
			return h.Value
		}
	}
	return ""
}
