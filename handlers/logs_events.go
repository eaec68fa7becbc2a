package handlers

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	eventsLivePath = eventsPath + "/live"
	// eventsMost is how far the events of a list are counted: each is read for it.
	eventsMost = 1000
)

// eventFilter is the filters of the list of events as they stand in its
// address.
type eventFilter struct {
	Event, Agent, Text string
	timeRange
	before, after uuid.UUID
	unknown       unknowns // what of the address means nothing here
}

func (f *eventFilter) filters() listFilter {
	return slices.Concat(listFilter{anyText("event", &f.Event), anyText("agent", &f.Agent)}, f.timeRange.filters(), listFilter{anyText("q", &f.Text)})
}

func readEventFilter(c echo.Context, besides ...string) *eventFilter {
	f := &eventFilter{before: cursor(c, "before"), after: cursor(c, "after")}
	f.unknown = f.filters().read(c.QueryParams(), append(besides, "before", "after")...)
	f.settle(c.QueryParams().Has("time"))
	return f
}

func (f *eventFilter) address(path string, more ...string) string {
	return f.filters().address(path, more...)
}

func (f *eventFilter) place() (string, uuid.UUID, uuid.UUID) { return eventsPath, f.before, f.after }

// filter is what the store is asked for.
func (f *eventFilter) filter(now time.Time) store.EventFilter {
	from, to := f.bounds(now)
	return store.EventFilter{Type: f.Event, AgentID: f.Agent, Text: f.Text, From: from, To: to, Before: f.before, After: f.after, Limit: logPage}
}

// eventsPage lists published events by pages.
func (h *Handlers) eventsPage(c echo.Context) error {
	ctx, p, f := c.Request().Context(), personOf(c), readEventFilter(c)
	ask := f.filter(h.opt.Now())
	page, err := h.store.Events(ctx, p.Account.ID, ask)
	if err != nil {
		return err
	}
	v := views.EventsView{
		Retention: views.Duration(p.Account.Limits.Retention), Filtered: len(f.filters().query()) > 0, PerPage: logPage,
		ClearURL: eventsPath, Unknown: f.unknown, Backwards: f.backwards(), Live: liveView(f, "events", eventsLivePath, liveEventRows(page.List)),
	}
	ids := make([]uuid.UUID, len(page.List))
	for i := range page.List {
		ids[i] = page.List[i].ID
		v.Rows = append(v.Rows, eventLine(&page.List[i]))
	}
	if p.Role.CanExport() {
		v.Export = views.ExportView{
			Action: eventsExportPath, Keep: f.filters().kept(), Data: "With their data", Words: "Every event that these filters match, newest first.",
		}
	}
	v.Newer, v.Older = pages(f, ids, page.More)
	v.Searched, v.Newer, v.Older = searched(f, "events", page.Searched, page.SearchedTo(), v.Newer, v.Older)
	if v.Matching, err = h.countEvents(ctx, p.Account.ID, f, ask); err != nil {
		return err
	}
	if len(v.Rows) == 0 && v.Filtered {
		if v.Total, _, err = h.store.CountEvents(ctx, p.Account.ID, store.EventFilter{}, eventsMost); err != nil {
			return err
		}
	}
	if err := h.eventControls(ctx, p.Account.ID, f, &v); err != nil {
		return err
	}
	frame := h.frame(c, views.EntryLogs)
	frame.Find = f.Text
	return web.Render(c, http.StatusOK, views.Events(frame, v))
}

// countEvents counts what matches on all pages.
func (h *Handlers) countEvents(ctx context.Context, account uuid.UUID, f *eventFilter, ask store.EventFilter) (views.CountView, error) {
	ask.Before, ask.After = uuid.Nil, uuid.Nil
	n, whole, err := h.store.CountEvents(ctx, account, ask, eventsMost)
	return views.CountView{Matching: n, Most: eventsMost, One: "event", Many: "events", Filtered: len(f.filters().query()) > 0, All: whole}, err
}

// webhooksSentTo counts the webhooks that an event went to.
func webhooksSentTo(e *store.Event) int {
	sent := 0
	for _, verdict := range e.Verdicts {
		if verdict.Reason == store.Sent {
			sent++
		}
	}
	return sent
}

func eventLine(e *store.Event) views.EventLine {
	sent := webhooksSentTo(e)
	line := views.EventLine{
		ID: e.ID.String(), Type: e.Type, Agent: e.AgentID, Size: views.Bytes(int64(len(e.Data))), When: views.Ago(e.CreatedAt.Time),
		Went: "to " + views.Plural(sent, "webhook", "webhooks"), Nobody: sent == 0,
	}
	if sent == 0 {
		line.Went = "to no webhook"
	}
	return line
}

func (h *Handlers) eventControls(ctx context.Context, account uuid.UUID, f *eventFilter, v *views.EventsView) error {
	events, unknown, err := h.eventOptions(ctx, account, f.Event)
	if err != nil {
		return err
	}
	v.Unknown = append(v.Unknown, unknown.leading(f.filters())...)
	agents, err := h.agentOptions(ctx, account, f.Agent, nil)
	if err != nil {
		return err
	}
	v.Controls = []views.FilterView{
		{Name: "event", Label: "Event", Value: f.Event, Options: events},
		{Name: "agent", Label: "Agent", Value: f.Agent, Options: agents, Free: true},
		f.control(),
	}
	words := choiceWords(v.Controls)
	f.words(words)
	v.Filters = views.FiltersView{
		Action: eventsPath, Target: "#events", Set: f.filters().chips(eventsPath, words), Beside: besideFilters,
		Search: &views.FilterView{Name: "q", Label: "Id or data", Value: f.Text},
	}
	return nil
}

// liveEvents is the first page of the list of events as pages follow it.
type liveEvents struct {
	h       *Handlers
	account uuid.UUID
	filter  *eventFilter
}

// eventsLive streams what changes on the first page of the list of events.
func (h *Handlers) eventsLive(c echo.Context) error {
	l := &liveEvents{h, personOf(c).Account.ID, readEventFilter(c)}
	l.filter.before, l.filter.after = uuid.Nil, uuid.Nil
	return h.follow(c, l.account.String()+l.filter.address(eventsLivePath), l)
}

func (l *liveEvents) changes() *store.Listener {
	return l.h.store.Changes(func(change store.Change) bool { return change.Kind == store.ChangeEvent && concerns(change, l.account) })
}

func (l *liveEvents) every() time.Duration { return liveEvery }

func (l *liveEvents) now(ctx context.Context) (liveState, error) {
	page, err := l.h.store.Events(ctx, l.account, l.filter.filter(l.h.opt.Now()))
	return liveEventRows(page.List), err
}

// liveEventRows are events as rows that never change.
func liveEventRows(list []store.Event) liveRows {
	rows := make(liveRows, len(list))
	for i := range list {
		line := eventLine(&list[i])
		rows[i] = livePart{id: line.RowID(), line: func(fresh bool) templ.Component {
			line.Fresh = fresh
			return views.EventRow(line)
		}}
	}
	return rows
}

func (l *liveEvents) count(ctx context.Context) (templ.Component, error) {
	count, err := l.h.countEvents(ctx, l.account, l.filter, l.filter.filter(l.h.opt.Now()))
	return views.LiveCount(views.CountWords(count)), err
}
