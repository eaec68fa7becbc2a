package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	// runPage is how many deliveries a page of a run has, runsListed how many runs
	// are listed.
	runPage    = 50
	runsListed = 100
	// stripFor is how long a run that has ended stays above the log.
	stripFor = 15 * time.Minute
)

func runPath(id uuid.UUID) string { return views.RunsAddress + "/" + id.String() }

// runView is a run as somebody who is signed in sees it.
func (h *Handlers) runView(c echo.Context, run store.ResendRun) views.RunView {
	p := personOf(c)
	v := views.RunView{Run: run, Rate: p.Account.Limits.RatePerMinute, Href: runPath(run.ID), MayEdit: p.Role.CanEdit(), In: "run"}
	if v.MayEdit && !run.Ended() {
		v.Token = store.NewFormToken()
	}
	return v
}

// lastRun is the run that was begun last, unless it is over; nil: there is none.
func (h *Handlers) lastRun(c echo.Context, over func(*store.ResendRun) bool) (*views.RunView, error) {
	runs, err := h.store.ResendRuns(c.Request().Context(), personOf(c).Account.ID, 1)
	if err != nil || len(runs) == 0 || over(&runs[0]) {
		return nil, err
	}
	v := h.runView(c, runs[0])
	return &v, nil
}

// runStrip is the run to be shown above the log: the one under way, or one that
// ended a while ago.
func (h *Handlers) runStrip(c echo.Context) (*views.RunView, error) {
	v, err := h.lastRun(c, h.passed)
	if v != nil {
		v.In, v.Linked = views.StripID, true
	}
	return v, err
}

// passed says that a run ended so long ago that the log shows it no more.
func (h *Handlers) passed(r *store.ResendRun) bool {
	return r.Ended() && h.opt.Now().Sub(r.EndedAt.Time) > stripFor
}

// resendRun finds the run in the address.
func (h *Handlers) resendRun(c echo.Context) (store.ResendRun, error) {
	id, err := idIn(c, "id")
	if err != nil {
		return store.ResendRun{}, err
	}
	return h.store.ResendRun(c.Request().Context(), personOf(c).Account.ID, id)
}

// resendProgress is the part of the log that shows how far a run is.
func (h *Handlers) resendProgress(c echo.Context) error {
	run, err := h.resendRun(c)
	if err != nil {
		return err
	}
	v := h.runView(c, run)
	v.In, v.Linked = views.StripID, true
	return web.Render(c, http.StatusOK, views.ResendStrip(&v))
}

// resendRunPage shows a run and what became of each of its deliveries.
func (h *Handlers) resendRunPage(c echo.Context) error {
	run, err := h.resendRun(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, before := runList{run: run.ID}, cursor(c, "before")
	unknown := list.filters().read(c.QueryParams(), "before")
	results, more, err := h.store.ResendResults(ctx, run.AccountID, run.ID, list.outcome, before, runPage)
	if err != nil {
		return err
	}
	v := views.RunPage{RunView: h.runView(c, run), Tabs: list.tabs(&run), PageURL: list.address(), LogURL: runLog(&run), Unknown: unknown}
	if v.Asked, err = h.asked(ctx, run.AccountID, run.Filter); err != nil {
		return err
	}
	for i := range results {
		v.Rows = append(v.Rows, runRow(&results[i]))
	}
	if before != uuid.Nil {
		v.PageURL, v.Newer = list.address("before", before.String()), list.address()
	}
	if more {
		v.Older = list.address("before", results[len(results)-1].DeliveryID.String())
	}
	return web.Render(c, http.StatusOK, views.ResendRun(h.frame(c, views.EntryLogs), v))
}

// runList is the deliveries of a run with one outcome; empty: with any.
type runList struct {
	run     uuid.UUID
	outcome string
}

func (l *runList) filters() listFilter {
	return listFilter{oneOf("outcome", &l.outcome, "all outcomes", runOutcomes()...)}
}

func (l *runList) address(more ...string) string { return l.filters().address(runPath(l.run), more...) }

// runOutcomes are the outcomes by which the deliveries of a run are told apart.
func runOutcomes() []string {
	return []string{store.OutcomeDelivered, store.OutcomeFailed, store.OutcomeDead, store.OutcomeWaiting, store.OutcomeSkipped}
}

func (l *runList) tabs(run *store.ResendRun) []views.Choice {
	counts := map[string]int{
		store.OutcomeDelivered: run.Delivered, store.OutcomeFailed: run.Failed, store.OutcomeDead: run.Dead,
		store.OutcomeWaiting: run.Waiting(), store.OutcomeSkipped: run.Skipped,
	}
	tabs := []views.Choice{{Label: "All", Href: runPath(l.run), Count: views.Count(run.Resent + run.Skipped), Current: l.outcome == ""}}
	for _, outcome := range runOutcomes() {
		if counts[outcome] > 0 || outcome == l.outcome {
			tabs = append(tabs, views.Choice{
				Label: views.OutcomeState(outcome).Word, Href: (&runList{l.run, outcome}).address(), Count: views.Count(counts[outcome]), Current: outcome == l.outcome,
			})
		}
	}
	return tabs
}

func runRow(r *store.ResendResult) views.RunRow {
	row := views.RunRow{ID: r.DeliveryID.String(), Outcome: views.OutcomeState(r.Outcome)}
	if r.Delivery.ID != uuid.Nil {
		line := deliveryLine(&r.Delivery)
		row.Line = &line
	}
	return row
}

// runLog is the log with the filter of a run, but for the status: that of each
// delivery is another now.
func runLog(run *store.ResendRun) string {
	f := logFilter{Agent: run.Filter.AgentID, Event: run.Filter.Event, Text: run.Filter.Text}
	if run.Filter.WebhookID != uuid.Nil {
		f.Webhook = run.Filter.WebhookID.String()
	}
	if !run.Filter.From.IsZero() {
		f.From = run.Filter.From.UTC().Format(time.RFC3339)
	}
	if !run.Filter.To.IsZero() {
		f.To = run.Filter.To.UTC().Format(time.RFC3339)
	}
	return f.address(logsPath)
}

// resendRunsPage lists the runs of the account.
func (h *Handlers) resendRunsPage(c echo.Context) error {
	account := personOf(c).Account
	runs, err := h.store.ResendRuns(c.Request().Context(), account.ID, runsListed)
	if err != nil {
		return err
	}
	v := views.RunsPage{Unknown: listFilter{}.read(c.QueryParams()), Retention: views.Duration(account.Limits.Retention), MayEdit: personOf(c).Role.CanEdit()}
	for _, run := range runs {
		v.Runs = append(v.Runs, h.runView(c, run))
	}
	return web.Render(c, http.StatusOK, views.ResendRuns(h.frame(c, views.EntryLogs), v))
}

// changeResend pauses a run, goes on with it or cancels it.
func (h *Handlers) changeResend(to string) echo.HandlerFunc {
	return func(c echo.Context) error {
		return h.act(c, func(ctx context.Context, account, id uuid.UUID) (string, error) {
			_, err := h.store.ChangeResend(ctx, account, id, to, personOf(c).Email)
			if c.QueryParam("in") == views.StripID {
				return runPath(id) + "/progress", err
			}
			return runPath(id), err
		})
	}
}
