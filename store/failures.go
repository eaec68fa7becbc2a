package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
)

// failuresLooked is how many of an account's newest deliveries of one kind of
// failure are looked at for one of a certain webhook, and how many of the
// webhook's newest for failures that were made good since.
const failuresLooked = 500

// LastFailure is the newest delivery of a webhook with an attempt that ended in
// a kind of failure.
type LastFailure struct {
	DeliveryID uuid.UUID // zero: there is none among the newest
	Detail     string    // a sentence for people
	MovedTo    string    // where a redirect leads; empty: it was none, or didn't say
}

// LastFailures finds an example of each kind of failure, in their order: first
// among the deliveries whose last attempt ended so, then among those that went
// on. It looks at the newest only.
func (s *Store) LastFailures(ctx context.Context, account, webhook uuid.UUID, kinds []KindCount) ([]LastFailure, error) {
	list, missing := make([]LastFailure, len(kinds)), false
	if _, err := s.Webhook(ctx, account, webhook); err != nil || len(kinds) == 0 {
		return list, err
	}
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
			missing = true
			continue
		}
		list[i] = LastFailure{DeliveryID: rows[0].ID, Detail: rows[0].LastDetail}
	}
	if missing {
		if err := s.madeGood(ctx, webhook, kinds, list); err != nil {
			return nil, s.wrap(err)
		}
	}
	return list, s.wrap(s.moved(ctx, kinds, list))
}

// madeGood fills in what is missing from attempts that others followed.
func (s *Store) madeGood(ctx context.Context, webhook uuid.UUID, kinds []KindCount, list []LastFailure) error {
	var rows []attemptRow
	err := s.ro.NewRaw(`SELECT a.delivery_id, a.status_code, a.error, a.detail FROM (
			SELECT id FROM (SELECT id, attempts, test FROM deliveries WHERE webhook_id = ? ORDER BY id DESC LIMIT ?) AS newest WHERE attempts > 1 AND NOT test
		) AS retried JOIN attempts a ON a.delivery_id = retried.id WHERE a.error IS NOT NULL ORDER BY a.delivery_id DESC, a.number DESC LIMIT ?`,
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
	var headers []Header
	if json.Unmarshal([]byte(kept), &headers) != nil {
		return ""
	}
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Location") {
			return h.Value
		}
	}
	return ""
}
