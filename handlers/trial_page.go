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
	trialPath = "/setup/webhooks/test"
	// trialFirstWait is how long the answer to a posted test waits for the
	// endpoint's; trialWait how long a page waits that asks for it. It is shorter
	// than what pages wait for an answer of ours.
	trialFirstWait = 1500 * time.Millisecond
	trialWait      = 12 * time.Second
	earlierTests   = 10
)

// withTest leads to the form for tests, filled in like the delivery.
func withTest(d *store.Delivery) string {
	return withQuery(trialPath, url.Values{"delivery": {d.ID.String()}})
}

// trialForm is the form for a test as it was filled in.
type trialForm struct {
	Token, To, Webhook, URL, Secret, Event, Data string
}

func readTrialForm(fields url.Values) trialForm {
	return trialForm{
		Token: fields.Get(tokenField), To: fields.Get("to"), Webhook: fields.Get("webhook"), URL: fields.Get("url"),
		Secret: fields.Get("secret"), Event: fields.Get("event"), Data: fields.Get("data"),
	}
}

// test is what the store is asked to send.
func (f trialForm) test() (store.NewTest, error) {
	t := store.NewTest{Event: f.Event, Data: []byte(f.Data)}
	if f.To == "url" {
		t.URL, t.Secret = f.URL, f.Secret
		return t, nil
	}
	id, err := uuid.Parse(f.Webhook)
	if err != nil {
		return t, &store.Error{
			Code: store.CodeInvalid, Detail: "the input is not valid",
			Fields: []store.FieldError{{Field: "webhook", Detail: "choose the webhook that the test goes to"}},
		}
	}
	t.WebhookID = id
	return t, nil
}

// trialPage shows the form, what came of the test that the address names, and
// earlier tests.
func (h *Handlers) trialPage(c echo.Context) error {
	ctx, account := c.Request().Context(), personOf(c).Account
	f := trialForm{Token: store.NewFormToken(), To: "webhook", Webhook: c.QueryParam("webhook"), URL: c.QueryParam("url"), Event: c.QueryParam("event")}
	if f.URL != "" {
		f.To = "url"
	}
	var story *deliveryStory
	if name := c.QueryParam("delivery"); name != "" {
		id, err := uuid.Parse(name)
		if err != nil {
			return errNoSuchID()
		}
		if c.QueryParam("wait") != "" {
			if err := h.awaitOutcome(ctx, account.ID, id, trialWait); err != nil {
				return err
			}
		}
		if story, err = h.deliveryStory(ctx, account, id); err != nil {
			return err
		}
		if err := h.fillFrom(ctx, story, &f); err != nil {
			return err
		}
		if !story.Test {
			story = nil // only its data is taken over
		}
	}
	return h.showTrial(c, http.StatusOK, f, nil, story)
}

// fillFrom fills the form in as it was for a test, or as it would be for
// another delivery. A secret that was typed is not kept for this.
func (h *Handlers) fillFrom(ctx context.Context, s *deliveryStory, f *trialForm) error {
	e, err := h.store.Event(ctx, s.AccountID, s.EventID)
	if err != nil {
		return err
	}
	f.Event, f.Data = e.Type, views.PrettyJSON(string(e.Data))
	if s.WebhookID != uuid.Nil {
		f.To, f.Webhook, f.URL = "webhook", s.WebhookID.String(), ""
	} else {
		f.To, f.URL = "url", s.URL
	}
	return nil
}

// sendTrial sends a test and leads to the page with its answer.
func (h *Handlers) sendTrial(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	f, account := readTrialForm(fields), personOf(c).Account.ID
	if fields.Get("load") != "" {
		f.Data = ""
		return h.showTrial(c, http.StatusOK, f, nil, nil)
	}
	return h.submit(c, f.Token, func(ctx context.Context) (string, error) {
		test, err := f.test()
		if err != nil {
			return "", err
		}
		d, err := h.store.SendTest(ctx, account, test)
		if err != nil {
			return "", err
		}
		// The test is on its way, whatever becomes of the waiting.
		if err := h.awaitOutcome(ctx, account, d.ID, trialFirstWait); err != nil {
			web.Logger(c).Warn("the outcome of a test was not waited for", "error", err)
		}
		return withQuery(trialPath, url.Values{"delivery": {d.ID.String()}}), nil
	}, func(faults *formFaults) error { return h.showTrial(c, faults.Status, f, faults, nil) })
}

// awaitOutcome waits until the delivery is finished, or as long as it may.
func (h *Handlers) awaitOutcome(ctx context.Context, account, id uuid.UUID, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	bell := h.store.Changes(func(change store.Change) bool {
		return concerns(change, account) && (change.ID == id || change.ID == uuid.Nil)
	})
	defer bell.Close()
	for {
		d, err := h.store.Delivery(ctx, account, id)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || d.Status.Finished() {
			return err
		}
		if !heard(ctx, bell) {
			return nil
		}
	}
}

// trialAnswer is the answer to a test as part of a page; it waits for it.
func (h *Handlers) trialAnswer(c echo.Context) error {
	ctx, account := c.Request().Context(), personOf(c).Account
	id, err := uuid.Parse(c.QueryParam("delivery"))
	if err != nil {
		return errNoSuchID()
	}
	if err := h.awaitOutcome(ctx, account.ID, id, trialWait); err != nil {
		return err
	}
	story, err := h.deliveryStory(ctx, account, id)
	if err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, views.TrialAnswer(*trialAnswerView(story)))
}

// trialSample is the field for data with the sample of an event type.
func (h *Handlers) trialSample(c echo.Context) error {
	known, err := h.store.EventType(c.Request().Context(), personOf(c).Account.ID, c.QueryParam("event"))
	if err != nil {
		return err
	}
	text := sampleOf(known)
	return web.Render(c, http.StatusOK, views.TrialData(views.DataView{Text: text, Ticks: checkData(known, text)}))
}

// checkTrial says whether data is what its event type's schema asks for.
func (h *Handlers) checkTrial(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	known, err := h.store.EventType(c.Request().Context(), personOf(c).Account.ID, fields.Get("event"))
	if err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, views.TrialChecks(checkData(known, fields.Get("data"))))
}
