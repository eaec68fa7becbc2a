package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
	"belfry/worker/outbound"
)

// newWebhookPage shows the empty form.
func (h *Handlers) newWebhookPage(c echo.Context) error {
	return h.showWebhookForm(c, newWebhookForm(), store.Webhook{}, nil)
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
		return views.WebhookAddress(w.ID, "secret"), h.keepSecret(c, w, secret, false)
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
	w, err := h.store.Webhook(c.Request().Context(), personOf(c).Account.ID, id)
	if err == nil && !w.DeletedAt.IsZero() {
		err = &store.Error{Code: store.CodeGone, Detail: "this webhook was deleted; its log stays readable, nothing else can be done with it"}
	}
	return w, err
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

// checkURL answers, as one leaves the field, what the rules say of its URL.
func (h *Handlers) checkURL(c echo.Context) error {
	url := strings.TrimSpace(c.QueryParam("url"))
	if url == "" {
		return web.Render(c, http.StatusOK, views.URLField("", "", nil))
	}
	list, err := h.store.Overviews(c.Request().Context(), personOf(c).Account.ID)
	if err != nil {
		return err
	}
	ticks, fault := h.urlTicks(c.Request().Context(), personOf(c).Account.Name, url, list)
	return web.Render(c, http.StatusOK, views.URLField(url, fault, ticks))
}

// urlTicks are the results of a URL's checks, and what is wrong with it. The
// list is the account's webhooks, which may have called it.
func (h *Handlers) urlTicks(ctx context.Context, account, url string, list []store.Overview) (ticks []views.Tick, fault string) {
	v, err := h.store.CheckURL(ctx, account, url)
	if v.WellFormed {
		ticks = append(ticks, views.Tick{Tone: "ok", Word: "Well formed"})
	}
	switch {
	case v.HTTPS:
		ticks = append(ticks, views.Tick{Tone: "ok", Word: "HTTPS"})
	case err == nil:
		ticks = append(ticks, views.Tick{Tone: "warn", Word: "Plain http, listed by the operator"})
	}
	if err != nil {
		return ticks, sentence(err.Error())
	}
	if v.Warning != "" {
		ticks = append(ticks, views.Tick{Tone: "warn", Word: v.Warning})
	} else {
		ticks = append(ticks, views.Tick{Tone: "ok", Word: v.AddressSentence()})
	}
	called := slices.ContainsFunc(list, func(o store.Overview) bool {
		return !o.LastAttemptAt.IsZero() && outbound.SameEndpoint(o.URL, url)
	})
	if !called {
		ticks = append(ticks, views.Tick{Tone: "idle", Word: "Not called yet"})
	}
	return ticks, ""
}
