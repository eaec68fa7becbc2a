package handlers

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

const (
	// recentRows is how many deliveries a webhook's page shows.
	recentRows = 10
	// expiryWarning is how long before held deliveries are given up the page
	// says so.
	expiryWarning = 7 * 24 * time.Hour
)

// webhookPage shows one webhook, deleted ones too.
func (h *Handlers) webhookPage(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	return h.showWebhook(c, id, http.StatusOK, c.QueryParam("confirm"), views.RotateForm{})
}

// showWebhook answers with a webhook's page, with the dialog open that confirm
// names.
func (h *Handlers) showWebhook(c echo.Context, id uuid.UUID, status int, confirm string, rotate views.RotateForm) error {
	page, err := h.webhookNow(c.Request().Context(), personOf(c), id)
	if err != nil {
		return err
	}
	page.Frame, page.Confirm = h.frame(c, views.EntryWebhooks), confirm
	if err := h.lookBack(c, &page); err != nil {
		return err
	}
	page.RotateToken, page.DeleteToken, page.MissedToken, page.DismissToken = store.NewFormToken(), store.NewFormToken(), store.NewFormToken(), store.NewFormToken()
	if rotate.Kind == "" {
		rotate.Kind = "generate"
	}
	if rotate.Overlap == "" {
		rotate.Overlap = "24"
	}
	page.Rotate = rotate
	return web.Render(c, status, views.Webhook(page))
}

// webhookNow is what of a webhook's page changes from moment to moment.
func (h *Handlers) webhookNow(ctx context.Context, p person, id uuid.UUID) (views.WebhookPage, error) {
	o, err := h.store.Overview(ctx, p.Account.ID, id)
	if err != nil {
		return views.WebhookPage{}, err
	}
	limits := p.Account.Limits
	page := views.WebhookPage{
		CanEdit: p.Role.CanEdit(), Overview: o, Timeout: limits.Timeout, InFlight: limits.InFlight, Attempts: limits.MaxAttempts(), HeldFor: limits.HeldFor, RatePerMinute: limits.RatePerMinute,
	}
	if o.Active && o.Summary.Pending > 0 {
		if page.Waiting, err = h.store.Waiting(ctx, p.Account.ID, id); err != nil {
			return page, err
		}
	}
	if err := h.settle(ctx, p.Account, &page); err != nil {
		return page, err
	}
	recent, _, err := h.store.Deliveries(ctx, p.Account.ID, store.DeliveryFilter{WebhookID: id, Limit: recentRows})
	page.Recent = deliveryLinesIn(recent, url.Values{"webhook": {id.String()}}.Encode())
	return page, err
}

// lookBack adds charts and kinds of failure.
func (h *Handlers) lookBack(c echo.Context, page *views.WebhookPage) (err error) {
	ctx, account, id := c.Request().Context(), personOf(c).Account, page.ID
	if page.Chart, err = h.store.Chart(ctx, account.ID, id, store.ParseRange(c.QueryParam("range"))); err != nil {
		return err
	}
	page.Kinds, err = h.failureKinds(ctx, account.ID, id, page.Chart.Kinds)
	return err
}

// settle adds what is wrong and what waits to be decided.
func (h *Handlers) settle(ctx context.Context, account store.Account, page *views.WebhookPage) (err error) {
	if page.Trouble() || page.Health.Unsettled() {
		if page.LastFailure, err = h.lastFailure(ctx, account.ID, page.Overview); err != nil {
			return err
		}
	}
	if !page.DeletedAt.IsZero() {
		return nil
	}
	page.SwitchToken = store.NewFormToken()
	given := page.ActiveSince.Add(account.Limits.HeldFor)
	if !page.Active && page.Summary.Pending > 0 && h.opt.Now().After(given.Add(-expiryWarning)) {
		page.HeldUntil = given
	}
	page.Missed, err = h.store.Missed(ctx, account.ID, page.ID)
	return err
}

// kindsShown is how many kinds of failure a webhook's page shows: the closed
// list of them and the usual status codes.
const kindsShown = 20

// failureKinds finds an example of each kind of failure.
func (h *Handlers) failureKinds(ctx context.Context, account, id uuid.UUID, kinds []store.KindCount) ([]views.FailureKind, error) {
	kinds = kinds[:min(len(kinds), kindsShown)]
	examples, err := h.store.LastFailures(ctx, account, id, kinds)
	if err != nil {
		return nil, err
	}
	list := make([]views.FailureKind, len(kinds))
	for i, k := range kinds {
		list[i] = views.FailureKind{KindCount: k, LastFailure: examples[i]}
	}
	return list, nil
}

// lastFailure leads to the newest delivery that ended its last attempt as the
// webhook's trouble has it.
func (h *Handlers) lastFailure(ctx context.Context, account uuid.UUID, o store.Overview) (string, error) {
	k := store.KindCount{Kind: o.Health.Kind, Code: o.Health.Code}
	switch {
	case o.DisabledReason == store.ReasonGone:
		k = store.KindCount{Kind: store.ReasonGone, Code: http.StatusGone}
	case o.Health.Unsettled():
		k = store.KindCount{Kind: o.Health.LastKind, Code: o.Health.LastCode}
	}
	if k.Kind == "" {
		return "", nil
	}
	list, err := h.store.LastFailures(ctx, account, o.ID, []store.KindCount{k})
	if err != nil || list[0].DeliveryID == uuid.Nil {
		return "", err
	}
	return deliveryPath(list[0].DeliveryID), nil
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
	return h.follow(c, func(change store.Change) bool {
		return concerns(change, p.Account.ID) && (change.WebhookID == id || change.WebhookID == uuid.Nil)
	}, func(ctx context.Context) (web.Message, error) {
		page, err := h.webhookNow(ctx, p, id)
		if err != nil {
			return nil, err
		}
		frame, err := rendered(ctx, views.WebhookLive(page))
		if err != nil {
			return nil, err
		}
		return web.NewMessage("", "", frame)
	})
}
