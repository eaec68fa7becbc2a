package handlers

import (
	"context"
	"strconv"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// toggleWebhook brings a webhook into the state that the form names, so that
// sending it twice is sending it once. It leads back to where the switch was:
// the list with its filter, or the webhook's own page.
func (h *Handlers) toggleWebhook(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	ctx, p := c.Request().Context(), personOf(c)
	active := fields.Get("active") == "true"
	w, _, err := h.store.UpdateWebhook(ctx, p.Account.ID, id, store.WebhookPatch{Active: &active, By: p.Email})
	if err != nil {
		return err
	}
	filter, _ := webhooksFilter(c.QueryParams())
	next, query, part := filter.Address(), filter.Query(), views.WebhooksPart
	if onPage := "?back=" + c.QueryParam("back"); onPage == views.BackToPage {
		next, query, part = views.WebhookAddress(id), onPage, views.PagePart
	}
	toast, err := h.toggled(ctx, w)
	if err != nil {
		return err
	}
	toast.Undo = views.UndoView{Action: views.WebhookAddress(w.ID, "toggle") + query, Name: "active", Value: strconv.FormatBool(!w.Active), Word: "Undo", In: part}
	addToast(c, toast)
	return web.Redirect(c, next)
}

// toggled says what pausing or resuming a webhook came to, with numbers.
func (h *Handlers) toggled(ctx context.Context, w store.Webhook) (views.ToastView, error) {
	name := views.WebhookName(w)
	if !w.Active {
		n, err := h.store.Summary(ctx, w.AccountID, w.ID)
		return views.ToastView{Text: "Paused " + name + ". " + heldCount(int(n.Pending))}, err
	}
	missed, err := h.store.Missed(ctx, w.AccountID, w.ID)
	toast := views.ToastView{Text: name + " is active again."}
	if missed.Count > 0 {
		toast.Text += " " + missedWords(missed.Count) + " came in meanwhile."
		toast.Link = views.Link{Label: "Send them", Href: views.WebhookAddress(w.ID) + "?confirm=missed"}
	}
	return toast, err
}

// heldCount says how many deliveries wait until a webhook is active again.
func heldCount(n int) string {
	switch n {
	case 0:
		return "No deliveries wait."
	case 1:
		return "1 delivery is held."
	}
	return views.Count(n) + " deliveries are held."
}

func missedWords(n int) string {
	if n == 1 {
		return "1 event"
	}
	return views.CountUpTo(n, store.CountedMissed) + " events"
}
