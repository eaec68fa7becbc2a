package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
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

// testAddress is the form for a test to the webhook.
func testAddress(webhook uuid.UUID) string { return trialPath + "?webhook=" + webhook.String() }

// withTest leads to the form for tests, filled in like the delivery.
func withTest(d *store.Delivery) string {
	return withQuery(trialPath, url.Values{"delivery": {d.ID.String()}})
}

// trialForm is the form for a test as it was filled in.
type trialForm struct {
	Token, To, Webhook, URL, Secret, Event, Data string
	SampleOf                                     string // the event type whose sample the data was made from
}

func readTrialForm(fields url.Values) trialForm {
	return trialForm{
		Token: fields.Get(tokenField), To: fields.Get("to"), Webhook: fields.Get("webhook"), URL: fields.Get("url"),
		Secret: fields.Get("secret"), Event: fields.Get("event"), Data: fields.Get("data"),
		SampleOf: fields.Get("sample_of"),
	}
}

// test is what the store is asked to send.
func (f trialForm) test() (store.NewTest, error) {
	t := store.NewTest{Event: f.Event, Data: []byte(strings.TrimSpace(f.Data))}
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
		return h.showTest(c, id, nil)
	}
	return h.showTrial(c, http.StatusOK, f, nil, nil)
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
	switch fields.Get("load") {
	case "sample":
		f.Data = ""
		fallthrough
	case "preview":
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
		return h.toAnswer(c, d), nil
	}, func(faults *formFaults) error { return h.showTrial(c, faults.Status, f, faults, nil) })
}

// toAnswer is where the answer to a test that was just sent stands, once it has
// had a moment to come.
func (h *Handlers) toAnswer(c echo.Context, d store.Delivery) string {
	// The test is on its way, whatever becomes of the waiting.
	if err := h.awaitOutcome(c.Request().Context(), d.AccountID, d.ID, trialFirstWait); err != nil {
		web.Logger(c).Warn("the outcome of a test was not waited for", "error", err)
	}
	return withTest(&d) + "#answer"
}

// sendTrialAgain sends a test once more, as it was, and leads to its answer.
func (h *Handlers) sendTrialAgain(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(fields.Get("delivery"))
	if err != nil {
		return errNoSuchID()
	}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		d, err := h.store.SendTestAgain(ctx, personOf(c).Account.ID, id)
		if err != nil {
			return "", err
		}
		return h.toAnswer(c, d), nil
	}, func(faults *formFaults) error { return h.showTest(c, id, faults) })
}

// showTest shows the form filled in as it was for a test, and what came of it.
// A delivery that is no test only fills it in.
func (h *Handlers) showTest(c echo.Context, id uuid.UUID, faults *formFaults) error {
	ctx, status := c.Request().Context(), http.StatusOK
	story, err := h.deliveryStory(ctx, personOf(c).Account, id)
	if err != nil {
		return err
	}
	f := trialForm{Token: store.NewFormToken()}
	if err := h.fillFrom(ctx, story, &f); err != nil {
		return err
	}
	if faults != nil {
		status = faults.Status
	}
	if !story.Test {
		story = nil
	}
	return h.showTrial(c, status, f, faults, story)
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
	var left views.TrialView
	if err := h.trialsLeft(ctx, account, &left); err != nil {
		return err
	}
	v := trialAnswerView(story)
	v.Again = againView(personOf(c).Role, story, left.Full)
	return web.Render(c, http.StatusOK, views.TrialAnswer(*v))
}
