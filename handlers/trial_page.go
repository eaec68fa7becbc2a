package handlers

import (
	"net/url"

	"github.com/google/uuid"

	"belfry/store"
)

const trialPath = "/setup/webhooks/test"

// withTest leads to the form for tests, filled in like the delivery.
func withTest(d *store.Delivery) string {
	q := url.Values{"event": {d.EventType}}
	if d.WebhookID != uuid.Nil {
		q.Set("webhook", d.WebhookID.String())
	} else {
		q.Set("url", d.URL)
	}
	return withQuery(trialPath, q)
}
