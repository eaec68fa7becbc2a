package handlers

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// usualPace is the pace that is chosen unless somebody chooses another, per
// minute.
const usualPace = "100"

// bulkFilter is the filter of the log, with all that a run can't heed turned
// into what it can: a time until now begins at a moment, and without a status
// those that failed are meant. One that has not ended means nothing to a run.
func bulkFilter(c echo.Context, now time.Time) logFilter {
	f := readLogFilter(c)
	if span := spanOf(f.Time); span > 0 {
		f.Time, f.From = "", now.Add(-span).UTC().Format(time.RFC3339)
	}
	if status, ok := store.ParseStatus(f.Status); f.Status != "" && (!ok || !status.Finished()) {
		f.Unknown = append(f.Unknown, views.Unknown{
			Name: "status", Bold: "What is " + f.Status + " can't be resent", Takes: "It is sent anyway. Status can be failed, dead, delivered.",
			Without: onThisPage(without(c.QueryParams(), "status")),
		})
	}
	f.Status = cmp.Or(f.Status, store.Failed.String())
	f.Before, f.After = uuid.Nil, uuid.Nil
	return f
}

// resend is the way from the log to resending what of it has ended: so many
// match, and so many of them failed; -1 where that was not counted.
func (f *logFilter) resend(matching, failed int) views.Link {
	status, known := store.ParseStatus(f.Status)
	n, word := failed, store.Failed.String()
	switch {
	case known && status.Finished():
		n, word = matching, status.String()
	case f.Status != "":
		return views.Link{}
	}
	if n == 0 {
		return views.Link{}
	}
	if n > 0 {
		word = views.CountUpTo(n, countMost) + " " + word
	}
	return views.Link{Label: "Resend " + word + "…", Href: f.address(views.BulkAddress)}
}

// bulkPage asks before many deliveries are resent.
func (h *Handlers) bulkPage(c echo.Context) error {
	return h.showBulk(c, http.StatusOK, views.BulkView{Token: store.NewFormToken(), Pace: usualPace}, nil)
}

func (h *Handlers) showBulk(c echo.Context, status int, v views.BulkView, faults *formFaults) error {
	ctx, p, f := c.Request().Context(), personOf(c), bulkFilter(c, h.opt.Now())
	v.Action, v.Back, v.Unknown = f.address(views.BulkAddress), f.address(logsPath), f.Unknown.refused()
	if len(v.Unknown) > 0 {
		return web.Render(c, status, views.Bulk(h.frame(c, views.EntryLogs), v))
	}
	ask, err := f.filter(h.opt.Now())
	if err != nil {
		return err
	}
	if v.Preview, err = h.store.PreviewResend(ctx, p.Account.ID, ask); err != nil {
		return err
	}
	if v.Asked, err = h.asked(ctx, p.Account.ID, ask); err != nil {
		return err
	}
	if v.Open, err = h.lastRun(c, (*store.ResendRun).Ended); err != nil {
		return err
	}
	if faults != nil {
		v.Fault = cmp.Or(sentence(faults.Detail), faults.Of("pace"), faults.Of("status"))
	}
	v.Status, v.Rate, v.Attempts = ask.Status[0], p.Account.Limits.RatePerMinute, p.Account.Limits.MaxAttempts()
	for _, choice := range []store.Status{store.Failed, store.Dead, store.Delivered} {
		v.Which = append(v.Which, views.Choice{
			Label: statusWord(choice), Href: f.address(views.BulkAddress, "status", choice.String()), Current: choice == v.Status,
		})
	}
	for _, t := range v.Preview.Targets {
		v.Webhooks = append(v.Webhooks, bulkLine(t))
	}
	return web.Render(c, status, views.Bulk(h.frame(c, views.EntryLogs), v))
}

func statusWord(s store.Status) string { return views.DeliveryState(s.String(), "").Word }

// bulkLine says what happens to what goes to a webhook.
func bulkLine(t store.ResendTarget) views.BulkLine {
	line := views.BulkLine{URL: t.URL, Href: views.WebhookAddress(t.WebhookID), Count: t.Count, State: views.State{Icon: "send", Tone: "idle", Word: "Sent"}}
	switch {
	case t.Deleted:
		line.State, line.Note = views.OutcomeState(store.OutcomeSkipped), "the webhook was deleted"
	case t.Paused:
		line.State, line.Note = views.State{Icon: "hourglass", Tone: "warn", Word: "Held"}, "until you reactivate the webhook"
	case t.Probing:
		line.State, line.Note = views.State{Icon: "radar", Tone: "info", Word: "Probed"}, "one goes at a time until it answers"
	}
	return line
}

// asked says in words what a filter asks for.
func (h *Handlers) asked(ctx context.Context, account uuid.UUID, f store.DeliveryFilter) ([]views.Fact, error) {
	facts := []views.Fact{{Name: "Status", Value: statusWord(f.Status[0])}}
	if f.WebhookID != uuid.Nil {
		w, err := h.store.Webhook(ctx, account, f.WebhookID)
		if err != nil && !store.IsCode(err, store.CodeNotFound) {
			return nil, err
		}
		facts = append(facts, views.Fact{Name: "Webhook", Value: cmp.Or(shortURL(w.URL), f.WebhookID.String()), Mono: true})
	}
	code := ""
	if f.Code != 0 {
		code = strconv.Itoa(f.Code)
	}
	for _, fact := range []views.Fact{
		{Name: "Agent", Value: f.AgentID, Mono: true},
		{Name: "Event", Value: f.Event, Mono: true},
		{Name: "Error", Value: f.Error},
		{Name: "Code", Value: code},
		{Name: "From", Value: momentWords(f.From)},
		{Name: "Until", Value: momentWords(f.To)},
		{Name: "Id or data", Value: f.Text, Mono: true},
	} {
		if fact.Value != "" {
			facts = append(facts, fact)
		}
	}
	return facts, nil
}

func momentWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return views.FullTime(t)
}

// startBulk begins to resend what the filters match and leads to its progress.
func (h *Handlers) startBulk(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	v := views.BulkView{Token: fields.Get(tokenField), Pace: fields.Get("pace")}
	return h.submit(c, v.Token, func(ctx context.Context) (string, error) {
		p, f := personOf(c), bulkFilter(c, h.opt.Now())
		if err := f.Unknown.err(); err != nil {
			return "", err
		}
		ask, err := f.filter(h.opt.Now())
		if err != nil {
			return "", err
		}
		pace, err := strconv.Atoi(v.Pace)
		if err != nil || !slices.Contains(views.BulkPaces(), pace) {
			return "", invalidInput(web.FieldError{Field: "pace", Detail: "choose how fast"})
		}
		run, _, err := h.store.StartResend(ctx, p.Account.ID, store.NewResend{Filter: ask, Pace: pace, By: p.Email})
		return runPath(run.ID), err
	}, func(faults *formFaults) error { return h.showBulk(c, faults.Status, v, faults) })
}
