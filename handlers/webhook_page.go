package handlers

import (
	"bytes"
	"context"
	"net/http"
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
	page.RotateToken, page.DeleteToken, page.MissedToken, page.SwitchToken = store.NewFormToken(), store.NewFormToken(), store.NewFormToken(), store.NewFormToken()
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
	recent, _, err := h.store.Deliveries(ctx, p.Account.ID, store.DeliveryFilter{WebhookID: id, Limit: recentRows})
	limits := p.Account.Limits
	return views.WebhookPage{
		CanEdit: p.Role.CanEdit(), Overview: o, Timeout: limits.Timeout, InFlight: limits.InFlight, Attempts: limits.MaxAttempts(), Recent: deliveryLines(recent),
	}, err
}

// lookBack adds charts, and what waits to be decided.
func (h *Handlers) lookBack(c echo.Context, page *views.WebhookPage) (err error) {
	ctx, account, id := c.Request().Context(), personOf(c).Account, page.ID
	if page.Chart, err = h.store.Chart(ctx, account.ID, id, store.ParseRange(c.QueryParam("range"))); err != nil {
		return err
	}
	if page.DeletedAt.IsZero() && page.Active {
		if page.Missed, err = h.store.CountMissed(ctx, account.ID, id, time.Time{}); err != nil {
			return err
		}
	}
	if page.Trouble() || page.Health.Unsettled() {
		if page.LastFailure, err = h.lastFailure(ctx, account.ID, page.Overview); err != nil {
			return err
		}
	}
	given := page.ActiveSince.Add(account.Limits.HeldFor)
	if page.DeletedAt.IsZero() && !page.Active && page.Summary.Pending > 0 && h.opt.Now().After(given.Add(-expiryWarning)) {
		page.HeldUntil = given
	}
	return nil
}

// lastFailure leads to the newest delivery that ended its last attempt as the
// webhook's trouble has it.
func (h *Handlers) lastFailure(ctx context.Context, account uuid.UUID, o store.Overview) (string, error) {
	kind := o.Health.Kind
	switch {
	case o.DisabledReason == store.ReasonGone:
		kind = store.ReasonGone
	case o.Health.Unsettled():
		kind = o.Health.LastKind
	}
	if kind == "" {
		return "", nil
	}
	list, _, err := h.store.Deliveries(ctx, account, store.DeliveryFilter{WebhookID: o.ID, Error: kind, Limit: 1})
	if err != nil || len(list) == 0 {
		return "", err
	}
	return "/setup/webhooks/deliveries/" + list[0].ID.String(), nil
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
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		bell := h.store.Changes(func(change store.Change) bool {
			return concerns(change, p.Account.ID) && (change.WebhookID == id || change.WebhookID == uuid.Nil)
		})
		defer bell.Close()
		return h.follow(ctx, c, bell, func() error {
			page, err := h.webhookNow(ctx, p, id)
			if err != nil {
				return err
			}
			var frame bytes.Buffer
			if err := views.WebhookLive(page).Render(ctx, &frame); err != nil {
				return err
			}
			return send("", "", frame.Bytes())
		})
	})
}
