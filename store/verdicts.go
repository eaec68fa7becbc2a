package store

import (
	"context"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// NameDeliveries fills in, for every verdict of a page of events, the delivery
// that it led to, the newest of several; tests are not counted. Event does so for one event.
func (s *Store) NameDeliveries(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	var rows []struct{ ID, EventID, WebhookID uuid.UUID }
	err := s.ro.NewRaw("SELECT id, event_id, webhook_id FROM deliveries WHERE event_id IN (?) AND webhook_id IS NOT NULL AND NOT test ORDER BY id", bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return s.wrap(err)
	}
	type way struct{ event, webhook uuid.UUID }
	led := make(map[way]uuid.UUID, len(rows))
	for _, r := range rows {
		led[way{r.EventID, r.WebhookID}] = r.ID
	}
	for i := range events {
		for j := range events[i].Verdicts {
			v := &events[i].Verdicts[j]
			v.DeliveryID = led[way{events[i].ID, v.WebhookID}]
		}
	}
	return nil
}
