package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// newWebhookPage shows the empty form.
func (h *Handlers) newWebhookPage(c echo.Context) error {
	f := newWebhookForm()
	if c.QueryParam("url") == store.InboxURL {
		f.URL = store.InboxURL
	}
	return h.showWebhookForm(c, f, store.Webhook{}, nil)
}

func (h *Handlers) showWebhookForm(c echo.Context, f webhookForm, saved store.Webhook, faults *formFaults) error {
	page, err := h.formPage(c, f, saved, faults)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if faults != nil {
		status = faults.Status
	}
	return web.Render(c, status, views.WebhookForm(page))
}

// addWebhook registers the endpoint and leads to its secret, or to its page
// where there is none.
func (h *Handlers) addWebhook(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	finish(c)
	f := readWebhookForm(fields)
	return h.submit(c, f.Token, func(ctx context.Context) (string, error) {
		p := personOf(c)
		n := store.NewWebhook{
			URL: f.URL, AgentID: f.Agent, Description: f.Description, Events: f.events(), Secret: secretOf(f.SecretKind, f.Secret),
			Headers: f.Headers, Active: f.Active, By: p.Email,
		}
		if err := h.checkWebhookForm(ctx, p.Account.ID, f, n); err != nil {
			return "", err
		}
		w, secret, warning, err := h.store.CreateWebhook(ctx, p.Account.ID, n)
		if err != nil {
			return "", err
		}
		warn(c, warning)
		if secret == "" {
			addToast(c, views.ToastView{Text: "Webhook added. It is not signed."})
			return views.WebhookAddress(w.ID), nil
		}
		return views.WebhookAddress(w.ID, "secret"), h.keepSecret(c, w, secret, f.Token, false)
	}, func(faults *formFaults) error { return h.showWebhookForm(c, f, store.Webhook{}, faults) })
}

// finish lets the request's work end though the visitor leaves: a secret that
// was made must not be lost with the connection.
func finish(c echo.Context) {
	r := c.Request()
	c.SetRequest(r.WithContext(context.WithoutCancel(r.Context())))
}

// warn passes a warning on to the next page.
func warn(c echo.Context, warning string) {
	if warning != "" {
		addToast(c, views.ToastView{Tone: "warn", Text: warning})
	}
}

// editWebhookPage shows the form with what is saved.
func (h *Handlers) editWebhookPage(c echo.Context) error {
	w, err := h.editable(c)
	if err != nil {
		return err
	}
	return h.showWebhookForm(c, formOfWebhook(w), w, nil)
}

// editable finds the webhook of the address, which must not be deleted.
func (h *Handlers) editable(c echo.Context) (store.Webhook, error) {
	id, err := idIn(c, "id")
	if err != nil {
		return store.Webhook{}, err
	}
	return h.liveWebhook(c.Request().Context(), personOf(c).Account.ID, id)
}

// editWebhook saves the form, unless somebody else has saved meanwhile: then
// both values are shown, and saving again keeps this one's.
func (h *Handlers) editWebhook(c echo.Context) error {
	saved, err := h.editable(c)
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	f := readWebhookForm(fields)
	f.Version = max(f.Version, 1)
	return h.submit(c, f.Token, func(ctx context.Context) (string, error) {
		p := personOf(c)
		events, headers := f.events(), f.headers(saved.Headers)
		checked := store.NewWebhook{URL: f.URL, AgentID: f.Agent, Description: f.Description, Events: events, Headers: headers}
		if err := h.checkWebhookForm(ctx, p.Account.ID, f, checked); err != nil {
			return "", err
		}
		_, warning, err := h.store.UpdateWebhook(ctx, p.Account.ID, saved.ID, store.WebhookPatch{
			URL: &f.URL, AgentID: &f.Agent, Description: &f.Description, Events: &events, Headers: &headers,
			Active: &f.Active, Version: f.Version, By: p.Email,
		})
		if err != nil {
			return "", err
		}
		warn(c, warning)
		addToast(c, views.ToastView{Text: "Saved."})
		return views.WebhookAddress(saved.ID), nil
	}, func(faults *formFaults) error { return h.showEditAgain(c, f, faults) })
}

func (h *Handlers) showEditAgain(c echo.Context, f webhookForm, faults *formFaults) error {
	saved, err := h.editable(c)
	if err != nil {
		return err
	}
	var both []views.BothValues
	if faults.Status == http.StatusConflict && saved.Version != f.Version {
		both = bothValues(f, saved)
		f.Version = saved.Version
	}
	page, err := h.formPage(c, f, saved, faults)
	if err != nil {
		return err
	}
	page.Both = both
	return web.Render(c, faults.Status, views.WebhookForm(page))
}

// bothValues are the fields in which the form and what is saved differ.
func bothValues(f webhookForm, saved store.Webhook) []views.BothValues {
	word := map[bool]string{true: "active", false: "inactive"}
	all := []views.BothValues{
		{Label: "Endpoint URL", Yours: f.URL, Saved: saved.URL},
		{Label: "Description", Yours: f.Description, Saved: saved.Description},
		{Label: "Events", Yours: eventWords(f.events()), Saved: eventWords(saved.Events)},
		{Label: "Agent", Yours: f.Agent, Saved: saved.AgentID},
		{Label: "Headers", Yours: headerWords(f.headers(saved.Headers)), Saved: headerWords(saved.Headers)},
		{Label: "Active", Yours: word[f.Active], Saved: word[saved.Active]},
	}
	both := make([]views.BothValues, 0, len(all))
	for _, b := range all {
		if b.Yours != b.Saved {
			both = append(both, b)
		}
	}
	if len(both) == 0 {
		both = append(both, views.BothValues{Label: "Version", Yours: "no difference", Saved: "no difference"})
	}
	return both
}

func eventWords(events []string) string {
	if len(events) == 0 {
		return "all events"
	}
	return strings.Join(events, ", ")
}

func headerWords(headers []store.Header) string {
	lines := make([]string, len(headers))
	for i, h := range headers {
		lines[i] = h.Name + ": " + h.Value
	}
	return strings.Join(lines, ", ")
}
