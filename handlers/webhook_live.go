package handlers

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
)

// webhookEvery is slower than lists: each delivery changes much of the page. The
// end of one still shows within 300 ms.
const webhookEvery = 250 * time.Millisecond

// liveWebhook is the page of one webhook as pages of one kind of person follow it.
type liveWebhook struct {
	h      *Handlers
	person person
	id     uuid.UUID
}

// webhookLive streams what changes on a webhook's page.
func (h *Handlers) webhookLive(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	p := personOf(c)
	if _, err := h.store.Webhook(c.Request().Context(), p.Account.ID, id); err != nil {
		return err
	}
	return h.follow(c, fmt.Sprint(p.Account.ID, p.Role.CanEdit(), views.WebhookAddress(id, "live")), &liveWebhook{h, p, id})
}

func (l *liveWebhook) changes() *store.Listener {
	return l.h.store.Changes(func(change store.Change) bool {
		return concerns(change, l.person.Account.ID) && (change.WebhookID == l.id || change.WebhookID == uuid.Nil)
	})
}

func (l *liveWebhook) every() time.Duration { return webhookEvery }

func (l *liveWebhook) now(ctx context.Context) (liveState, error) {
	p, err := l.person, error(nil)
	if p.Account, err = l.h.store.Account(ctx, p.Account.ID); err != nil { // limits change, too
		return nil, err
	}
	_, now, err := l.h.webhookNow(ctx, p, l.id)
	return now, err
}

// webhookNow is what of a webhook's page changes from moment to moment, also as
// it is followed.
func (h *Handlers) webhookNow(ctx context.Context, p person, id uuid.UUID) (page views.WebhookPage, now livePage, err error) {
	o, err := h.store.Overview(ctx, p.Account.ID, id)
	if err != nil {
		return page, now, err
	}
	limits := p.Account.Limits
	page = views.WebhookPage{
		CanEdit: p.Role.CanEdit(), Overview: o, Timeout: limits.Timeout, InFlight: limits.InFlight, Attempts: limits.MaxAttempts(), HeldFor: limits.HeldFor, RatePerMinute: limits.RatePerMinute,
	}
	if o.Active && o.Summary.Pending > 0 {
		if page.Waiting, err = h.store.Waiting(ctx, p.Account.ID, id); err != nil {
			return page, now, err
		}
	}
	recent, _, err := h.store.Deliveries(ctx, p.Account.ID, store.DeliveryFilter{WebhookID: id, Limit: recentRows})
	if err != nil {
		return page, now, err
	}
	within := url.Values{"webhook": {id.String()}}.Encode()
	page.Recent = deliveryLinesIn(recent, within)
	if err := h.settle(ctx, p.Account, &page, recent); err != nil {
		return page, now, err
	}
	now.rows = liveDeliveryRows(recent, within, false)
	now.parts, err = webhookParts(ctx, page)
	return page, now, err
}

// webhookParts are what changes on a webhook's page beside its deliveries.
func webhookParts(ctx context.Context, page views.WebhookPage) (liveParts, error) {
	var parts liveParts
	for _, part := range views.WebhookParts(page) {
		sum := fnv.New64a()
		if err := part.Row.Render(ctx, sum); err != nil {
			return nil, err
		}
		parts = append(parts, livePart{id: part.ID, mark: sum.Sum64(), line: func(bool) templ.Component { return part.Row }})
	}
	return parts, nil
}
