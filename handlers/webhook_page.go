package handlers

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
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
	ctx := c.Request().Context()
	page, now, err := h.webhookNow(ctx, personOf(c), id)
	if err != nil {
		return err
	}
	page.Live = views.LiveView{URL: views.WebhookAddress(id, "live"), First: views.WebhookAddress(id), What: "deliveries", Steady: true}
	if !asksForPart(c) { // who fetches a part shows the others as they were
		page.Live.URL = withQuery(page.Live.URL, url.Values{"seen": {now.mark()}})
	}
	page.Frame, page.Confirm = h.frame(c, views.EntryWebhooks), confirm
	if err := h.lookBack(c, &page); err != nil {
		return err
	}
	page.RotateToken, page.DeleteToken, page.MissedToken, page.DismissToken, page.SwitchToken = store.NewFormToken(), store.NewFormToken(), store.NewFormToken(), store.NewFormToken(), store.NewFormToken()
	if rotate.Kind == "" {
		rotate.Kind = "generate"
	}
	if rotate.Overlap == "" {
		rotate.Overlap = "24"
	}
	page.Rotate = rotate
	return web.Render(c, status, views.Webhook(page))
}

// lookBack adds charts and kinds of failure.
func (h *Handlers) lookBack(c echo.Context, page *views.WebhookPage) (err error) {
	ctx, account, id := c.Request().Context(), personOf(c).Account, page.ID
	span := ""
	page.Unknown = listFilter{oneOf("range", &span, "the last 24 hours", store.RangeWords()...)}.read(c.QueryParams(), "confirm")
	if page.Chart, err = h.store.Chart(ctx, account.ID, id, store.ParseRange(span)); err != nil {
		return err
	}
	page.Kinds, err = h.failureKinds(ctx, account.ID, id, page.Chart.Kinds)
	return err
}

// settle adds what is wrong, with an example that may be among the webhook's
// newest deliveries, and what waits to be decided.
func (h *Handlers) settle(ctx context.Context, account store.Account, page *views.WebhookPage, newest []store.Delivery) (err error) {
	if page.Trouble() || page.Health.Unsettled() {
		if page.LastFailure, err = h.lastFailure(ctx, account.ID, page.Overview, newest); err != nil {
			return err
		}
	}
	if !page.DeletedAt.IsZero() {
		return nil
	}
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
func (h *Handlers) lastFailure(ctx context.Context, account uuid.UUID, o store.Overview, newest []store.Delivery) (string, error) {
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
	for _, d := range newest {
		if d.LastError == k.Kind && d.LastStatusCode == k.Code && !d.Test {
			return deliveryPath(d.ID), nil
		}
	}
	list, err := h.store.LastFailures(ctx, account, o.ID, []store.KindCount{k})
	if err != nil || list[0].DeliveryID == uuid.Nil {
		return "", err
	}
	return deliveryPath(list[0].DeliveryID), nil
}
