package handlers

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
	"belfry/worker/outbound"
)

// previewBody is how many bytes of a body a preview shows.
const previewBody = 16 << 10

// shownForm is the form as the page shows it, where the first webhook and a
// type are chosen and the sample is filled in for who typed nothing.
func shownForm(v *views.TrialView) trialForm {
	f := trialForm{To: v.To, Webhook: v.Webhook, URL: v.URL, Secret: v.Secret, Event: v.Event, Data: v.Data.Text}
	if f.Webhook == "" && len(v.Webhooks) > 0 {
		f.Webhook = v.Webhooks[0].Value
	}
	return f
}

// trialPreview fills in the request that the form would send, or what it waits
// for and what is wrong with the data.
func (h *Handlers) trialPreview(ctx context.Context, account uuid.UUID, f trialForm, trial *views.TrialView) error {
	v := &trial.Preview
	test, err := f.test()
	var req outbound.Request
	if err == nil {
		req, err = h.store.PreviewTest(ctx, account, test)
	}
	if store.IsCode(err, store.CodeNotFound) { // deleted meanwhile
		v.Waits = "Waits for a webhook"
		return nil
	}
	if faults, ok := faultsIn(err); ok {
		v.Waits = waitsFor(faults)
		refuseData(&trial.Data, faults)
		return nil
	}
	if err != nil {
		return err
	}
	if v.Line = "POST " + req.URL; req.URL == "" {
		v.Line, v.Waits = "POST …", "Waits for a URL"
	}
	v.Headers = h.headersOf(req)
	v.Body, v.Note = views.PrettyJSON(maskBody(string(req.Body))), views.Plural(len(req.Body), "byte", "bytes")+", sent without the spaces."
	if len(v.Body) > previewBody {
		v.Body = v.Body[:previewBody]
		v.Note = "The beginning. " + v.Note
	}
	return nil
}

// refuseData marks the data with what sending it would be refused for, where no
// check has found more.
func refuseData(v *views.DataView, faults *formFaults) {
	if fault := faults.Of("data"); fault != "" && v.Error == "" {
		v.Error, v.Ticks = fault, nil
	}
}

// waitsFor says what keeps a preview from being made.
func waitsFor(faults *formFaults) string {
	switch {
	case faults.Of("webhook") != "":
		return "Waits for a webhook"
	case faults.Of("secret") != "":
		return "Waits for a secret that can sign"
	case faults.Of("event") != "":
		return "Waits for an event"
	}
	return "Waits for valid data"
}

// checkTrial answers, while the form is filled in, what is wrong with its data
// and what would be sent.
func (h *Handlers) checkTrial(c echo.Context) error {
	return h.followTrial(c, nil, views.TrialChecks)
}

// trialSample puts the sample of the chosen event into the form. Where only
// another event was chosen, data that was edited stays.
func (h *Handlers) trialSample(c echo.Context) error {
	return h.followTrial(c, func(ctx context.Context, f *trialForm) error {
		if c.QueryParam("edited") == "keep" {
			edited, err := h.edited(ctx, personOf(c).Account.ID, f)
			if edited || err != nil {
				return err
			}
		}
		f.Data = ""
		return nil
	}, views.TrialSample)
}

// edited says whether the data is another than the sample that it was made from.
func (h *Handlers) edited(ctx context.Context, account uuid.UUID, f *trialForm) (bool, error) {
	from, err := h.store.EventType(ctx, account, f.SampleOf)
	if store.IsCode(err, store.CodeNotFound) {
		return true, nil
	}
	typed := strings.ReplaceAll(f.Data, "\r", "")
	return strings.TrimSpace(typed) != "" && typed != sampleOf(from), err
}

// followTrial shows the parts of the page that follow what is filled in; change
// may be nil. Without data it is the sample.
func (h *Handlers) followTrial(c echo.Context, change func(context.Context, *trialForm) error, part func(views.TrialView) templ.Component) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	f, ctx, account := readTrialForm(fields), c.Request().Context(), personOf(c).Account.ID
	known, err := h.store.EventType(ctx, account, f.Event)
	if err != nil {
		return err
	}
	if change != nil {
		if err := change(ctx, &f); err != nil {
			return err
		}
		if f.Data == "" {
			f.Data, f.SampleOf = sampleOf(known), known.Name
		}
	}
	v := views.TrialView{Data: checkData(known, f.Data)}
	v.Data.SampleOf = f.SampleOf
	if err := h.trialPreview(ctx, account, f, &v); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, part(v))
}
