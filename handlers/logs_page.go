package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// logsPage is the log of deliveries, filtered and by pages.
func (h *Handlers) logsPage(c echo.Context) error {
	ctx, account, f := c.Request().Context(), personOf(c).Account, readLogFilter(c)
	ask, err := f.filter(h.opt.Now())
	if err != nil {
		return err
	}
	v := f.view()
	v.Unknown = f.Unknown
	v.Retention = views.Duration(account.Limits.Retention)
	page, err := h.store.SearchDeliveries(ctx, account.ID, ask)
	if err != nil {
		return err
	}
	v.Rows = deliveryLinesIn(page.List, f.query().Encode())
	v.Live = liveView(&f, "deliveries", livePath, liveDeliveryRows(page.List, f.query().Encode(), true))
	v.Live.Detail = "up to " + views.Count(account.Limits.RatePerMinute) + " per minute"
	if personOf(c).Role.CanExport() {
		v.Export = views.ExportView{
			Action: logsExportPath, Keep: f.filters().kept(), Data: "With each event's data",
			Words: "Every delivery that these filters match, newest first.",
		}
	}
	v.Newer, v.Older = pages(&f, idsOf(page.List), page.More)
	v.Searched, v.Newer, v.Older = searched(&f, "deliveries", page.Searched, page.SearchedTo(), v.Newer, v.Older)
	if err := h.countLog(ctx, account.ID, ask, &f, &v); err != nil {
		return err
	}
	if err := h.logControls(ctx, account.ID, &f, page.List, &v); err != nil {
		return err
	}
	if v.Run, err = h.runStrip(c); err != nil {
		return err
	}
	if personOf(c).Role.CanEdit() {
		matching := v.Matching
		if !v.CountedAll {
			matching = -1
		}
		v.Resend = f.resend(matching, v.Failed)
	}
	frame := h.frame(c, views.EntryLogs)
	frame.Find = f.Text
	return web.Render(c, http.StatusOK, views.Logs(frame, v))
}

// view is the page that the filters lead to, without its rows.
func (f *logFilter) view() views.LogsView {
	events := ""
	if f.Text != "" {
		events = withQuery(eventsPath, url.Values{"q": {f.Text}})
	}
	return views.LogsView{
		EventsURL: events,
		Filtered:  f.set(), CountMost: countMost, PerPage: logPage, Failed: -1,
		ClearURL: logsPath, FailedURL: f.address(logsPath, "status", "failed"), Backwards: f.backwards(),
	}
}

// liveView is how a page follows its list, of which it shows rows.
func liveView(f pager, what, path string, rows liveRows) views.LiveView {
	first, before, after := f.place()
	older := before != uuid.Nil || after != uuid.Nil
	more := []string{"seen", rows.mark()}
	if older {
		more = nil
	}
	return views.LiveView{URL: f.address(path, more...), First: f.address(first), Older: older, What: what}
}

// searched leads on from where a search that had looked at many rows of a kind
// ended: up to an id made at a time; the zero id: it ended by itself. Newer and
// older are where the page would lead without.
func searched(f pager, of string, id uuid.UUID, at time.Time, newer, older string) (to views.Searched, before, after string) {
	path, _, from := f.place()
	switch {
	case id == uuid.Nil:
		return to, newer, older
	case from != uuid.Nil:
		return views.Searched{Of: of, To: at, GoOn: f.address(path, "after", id.String())}, f.address(path), older
	}
	return views.Searched{Of: of, To: at, Back: true, GoOn: f.address(path, "before", id.String())}, newer, ""
}

func idsOf(list []store.Delivery) []uuid.UUID {
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

// pager is a filter that knows its place in the pages.
type pager interface {
	address(path string, more ...string) string
	place() (path string, before, after uuid.UUID)
}

func (f *logFilter) place() (string, uuid.UUID, uuid.UUID) { return logsPath, f.Before, f.After }

// pages gives the addresses of the newer and the older page; empty: there is
// none. More says that there are rows beyond the page, in the direction it was
// turned.
func pages(f pager, ids []uuid.UUID, more bool) (newer, older string) {
	path, before, after := f.place()
	if len(ids) == 0 {
		if before != uuid.Nil || after != uuid.Nil {
			newer = f.address(path)
		}
		return newer, ""
	}
	if after != uuid.Nil && !more {
		newer = f.address(path)
	} else if before != uuid.Nil || after != uuid.Nil {
		newer = f.address(path, "after", ids[0].String())
	}
	if more || after != uuid.Nil {
		older = f.address(path, "before", ids[len(ids)-1].String())
	}
	return newer, older
}

// countLog counts what matches, what of it failed where all of that can be
// counted, and where nothing matches what there is without filters.
func (h *Handlers) countLog(ctx context.Context, account uuid.UUID, ask store.DeliveryFilter, f *logFilter, v *views.LogsView) (err error) {
	ask.Before, ask.After = uuid.Nil, uuid.Nil
	if v.Matching, v.CountedAll, err = h.store.CountMatching(ctx, account, ask, countMost); err != nil {
		return err
	}
	v.Failed = -1
	if f.Status == "" && v.CountedAll {
		ask.Status = []store.Status{store.Failed}
		n, all, err := h.store.CountMatching(ctx, account, ask, countMost)
		if err != nil {
			return err
		}
		if all {
			v.Failed = n
		}
	}
	if len(v.Rows) == 0 && v.Matching <= 0 && v.Filtered {
		v.Total, _, err = h.store.CountMatching(ctx, account, store.DeliveryFilter{}, countMost)
	}
	return err
}

// logControls builds the row of filters.
func (h *Handlers) logControls(ctx context.Context, account uuid.UUID, f *logFilter, list []store.Delivery, v *views.LogsView) error {
	webhooks, err := h.webhookOptions(ctx, account, f.Webhook)
	if err != nil {
		return err
	}
	agents, err := h.agentOptions(ctx, account, f.Agent, list)
	if err != nil {
		return err
	}
	events, unknown, err := h.eventOptions(ctx, account, f.Event)
	if err != nil {
		return err
	}
	v.Unknown = append(v.Unknown, unknown.leading(f.filters())...)
	v.Controls = []views.FilterView{
		{Name: "webhook", Label: "Webhook", Value: f.Webhook, Options: webhooks},
		{Name: "agent", Label: "Agent", Value: f.Agent, Options: agents, Free: true},
		{Name: "event", Label: "Event", Value: f.Event, Options: events},
		{Name: "status", Label: "Status", Value: f.Status, Options: statusOptions()},
		{Name: "error", Label: "Error", Value: f.Error, Options: plainOptions(failureKinds())},
		{Name: "code", Label: "Code", Value: f.Code, Options: codeOptions(f.Code)},
		f.control(),
	}
	words := choiceWords(v.Controls)
	f.words(words)
	v.Filters = views.FiltersView{
		Action: logsPath, Target: "#deliveries", Set: f.filters().chips(logsPath, words), Beside: besideFilters,
		Search: &views.FilterView{Name: "q", Label: "Id or data", Value: f.Text},
	}
	return nil
}

// besideFilters are the parts of a page, apart from its list, that depend on
// the filters.
const besideFilters = "#chips, #filters-set, #export"

// webhookOptions are the account's webhooks; a deleted one that is asked for is
// among them, and one that the account never had is a 404.
func (h *Handlers) webhookOptions(ctx context.Context, account uuid.UUID, chosen string) ([]views.Option, error) {
	list, err := h.store.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	var options []views.Option
	for _, w := range list {
		options = append(options, views.Option{Value: w.ID.String(), Label: shortURL(w.URL)})
	}
	if chosen == "" || slices.ContainsFunc(options, func(o views.Option) bool { return o.Value == chosen }) {
		return options, nil
	}
	id, err := uuid.Parse(chosen)
	if err != nil {
		return nil, errNoSuchID()
	}
	w, err := h.store.Webhook(ctx, account, id)
	if err != nil {
		return nil, err
	}
	return append(options, views.Option{Value: chosen, Label: shortURL(w.URL) + " (deleted)"}), nil
}

// shortURL is a URL as people read it: without its scheme.
func shortURL(address string) string {
	host, rest := views.SplitURL(address)
	return host + rest
}

// agentOptions are the agents that webhooks are bound to and those of recent
// deliveries; Belfry keeps no table of agents.
func (h *Handlers) agentOptions(ctx context.Context, account uuid.UUID, chosen string, list []store.Delivery) ([]views.Option, error) {
	agents, err := h.store.RecentAgents(ctx, account)
	if err != nil {
		return nil, err
	}
	agents = append(agents, chosen)
	for _, d := range list {
		agents = append(agents, d.AgentID)
	}
	slices.Sort(agents)
	return plainOptions(slices.DeleteFunc(slices.Compact(agents), func(agent string) bool { return agent == "" })), nil
}

// eventOptions are the account's event types, each group led by its wildcard. One
// that is asked for and not among them is unknown: nothing can match it.
func (h *Handlers) eventOptions(ctx context.Context, account uuid.UUID, chosen string) (options []views.Option, unknown *unknownType, err error) {
	types, err := h.store.EventTypes(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	for i, t := range types {
		group := store.GroupTitle(t.Group)
		if i == 0 || types[i-1].Group != t.Group {
			options = append(options, views.Option{Value: t.Group + ".*", Label: t.Group + ".*", Group: group})
		}
		options = append(options, views.Option{Value: t.Name, Label: t.Name, Group: group})
	}
	if chosen != "" && !slices.ContainsFunc(options, func(o views.Option) bool { return o.Value == chosen }) {
		unknown = &unknownType{chosen, options}
		options = append(options, views.Option{Value: chosen, Label: chosen, Group: "Other"})
	}
	return options, unknown, nil
}

func statusOptions() []views.Option {
	return []views.Option{
		{Value: "pending", Label: "Pending"},
		{Value: "held", Label: "Pending, held"},
		{Value: "processing", Label: "Processing"},
		{Value: "delivered", Label: "Delivered"},
		{Value: "failed", Label: "Failed"},
		{Value: "dead", Label: "Dead"},
	}
}

// codeOptions are the status codes that endpoints answer with, and the one
// asked for.
func codeOptions(chosen string) []views.Option {
	codes := strings.Fields("200 201 202 204 301 302 307 308 400 401 403 404 405 408 409 410 413 415 422 429 500 501 502 503 504 520 522 524")
	if chosen != "" && !slices.Contains(codes, chosen) {
		codes = append(codes, chosen)
		slices.Sort(codes)
	}
	options := plainOptions(codes)
	for i := range options {
		code, _ := strconv.Atoi(options[i].Value)
		if text := http.StatusText(code); text != "" {
			options[i].Label += " " + text
		}
	}
	return options
}

func plainOptions(words []string) []views.Option {
	options := make([]views.Option, len(words))
	for i, word := range words {
		options[i] = views.Option{Value: word, Label: word}
	}
	return options
}
