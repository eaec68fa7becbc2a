package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"belfry/store"
)

// WebhooksAddress is where the list of webhooks is.
const WebhooksAddress = "/setup/webhooks"

// WebhookAddress is where a webhook's page is, or with more words what belongs to it: "edit".
func WebhookAddress(id interface{ String() string }, more ...string) string {
	return strings.Join(append([]string{WebhooksAddress, id.String()}, more...), "/")
}

// WebhooksFilter narrows the list of webhooks; empty fields ask nothing.
type WebhooksFilter struct {
	State string // trouble, active or inactive
	Agent string
	Text  string // in URL, description, events or id
	Sort  string // one of WebhookSorts
}

// WebhookRowID is the id of a webhook's row in the list.
func WebhookRowID(o store.Overview) string { return "webhook-" + o.ID.String() }

// Values are the parts of the filter that ask something, by their names in the address.
func (f WebhooksFilter) Values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"state": f.State, "agent": f.Agent, "q": f.Text, "sort": f.Sort} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// Query is the part of the address that holds the filter, with its question mark; empty where nothing is asked.
func (f WebhooksFilter) Query() string {
	values := f.Values()
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// Address is the list's with this filter.
func (f WebhooksFilter) Address() string { return WebhooksAddress + f.Query() }

// WebhooksPage is the list of webhooks.
type WebhooksPage struct {
	Frame   Frame
	CanEdit bool
	Filter  WebhooksFilter
	// All, Trouble, Active and Inactive count the webhooks without the state asked for.
	All, Trouble, Active, Inactive int
	Agents                         []string
	Unknown                        []Unknown
	Rows                           []store.Overview // those that the filter leaves, in the order to show them
	Strip                          store.Strip
	Used, Most                     int
	Timeout                        time.Duration
	Types                          int             // how many event types a webhook gets that takes all
	Sample                         Sample          // for those who have no webhook yet
	InboxToken                     string          // of the form that starts the test inbox, for the same
	First                          *FirstStepsView // nil: nobody needs them
	Live                           LiveView
}

func (p WebhooksPage) states() []Choice {
	choice := func(label, state string, n int) Choice {
		f := p.Filter
		f.State = state
		return Choice{Label: label, Href: f.Address(), Count: Count(n), Current: p.Filter.State == state}
	}
	return []Choice{
		choice("All", "", p.All), choice("In trouble", "trouble", p.Trouble),
		choice("Active", "active", p.Active), choice("Inactive", "inactive", p.Inactive),
	}
}

func (p WebhooksPage) filters() FiltersView {
	v := FiltersView{Action: WebhooksAddress, Target: "#list", Beside: "#states,#sort", Search: &FilterView{Name: "q", Label: "URL, text or event", Value: p.Filter.Text}}
	if p.Filter.State != "" {
		v.Keep = append(v.Keep, Option{Value: "state", Label: p.Filter.State})
	}
	if p.Filter.Agent != "" {
		without := p.Filter
		without.Agent = ""
		v.Set = append(v.Set, Link{p.Filter.Agent, without.Address()})
	}
	return v
}

func (p WebhooksPage) agents() FilterView {
	v := FilterView{Name: "agent", Label: "Agent", Value: p.Filter.Agent}
	for _, agent := range p.Agents {
		v.Options = append(v.Options, Option{Value: agent, Label: agent})
	}
	return v
}

func (p WebhooksPage) numbers() []Number {
	s := p.Strip
	waiting := Number{Label: "Waiting now", Value: Count(int(s.Waiting)), Href: LogsAddress("status", "pending")}
	if s.Held > 0 {
		waiting.Small = CountUpTo(int(s.Held), store.CountedDue) + " held"
	}
	return []Number{
		{Label: "Delivered, 24 h", Value: Count(int(s.Delivered)), Href: LogsAddress("status", "delivered", "time", "24h")},
		{Label: "Success rate, 24 h", Value: Percent(int(s.OK), int(s.OK+s.Failed)), Href: LogsAddress("time", "24h")},
		waiting,
		{Label: "Failed, 24 h", Value: CountUpTo(int(s.GivenUp), 10_000), Href: LogsAddress("status", "failed", "time", "24h")},
	}
}

// LogsAddress is where the log is, filtered by pairs of name and value.
func LogsAddress(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	if len(values) == 0 {
		return WebhooksAddress + "/logs"
	}
	return WebhooksAddress + "/logs?" + values.Encode()
}

// sparkBars are a webhook's attempts of 24 hours.
func sparkBars(o store.Overview) BarsView {
	v := BarsView{Unit: "attempts", Over: "24 h", Step: "hour"}
	for _, hour := range o.Hours {
		v.Bars = append(v.Bars, Bar{Label: ClockTime(hour.Start.Time)[:5], Good: int(hour.OK), Bad: int(hour.Failed)})
	}
	return v
}

// healthOf is a webhook's health as it is shown: one whose latest attempts failed is not shown as calm.
func healthOf(o store.Overview) State {
	state := HealthState(string(o.Health.State), o.DisabledReason)
	if o.Health.Unsettled() {
		state.Icon, state.Tone = "triangle-alert", "warn"
	}
	if o.Health.State == store.HealthNone && o.Summary.Total() > 0 {
		state.Word = "No answer yet"
	}
	return state
}

// lastFailures says of a webhook that is not settled what its latest attempts came to: "last 2 attempts failed: 503 Service
// Unavailable".
func lastFailures(h store.Health, limit time.Duration) string {
	words := "last attempt failed"
	if h.FailuresInRow > 1 {
		words = "last " + Count(int(h.FailuresInRow)) + " attempts failed"
	}
	switch {
	case h.LastCode != 0:
		return words + ": " + statusWords(h.LastCode)
	case h.LastKind != "":
		return words + ": " + FailureKind{KindCount: store.KindCount{Kind: h.LastKind}}.words(limit)
	}
	return words
}

// WebhookName is what people call a webhook: its description, or else its URL.
func WebhookName(w store.Webhook) string {
	if w.Description != "" {
		return w.Description
	}
	host, rest := SplitURL(w.URL)
	return host + rest
}

// shortName is an e-mail address without what follows the @.
func shortName(email string) string {
	name, _, _ := strings.Cut(email, "@")
	return name
}

// failureWord is the word for the most frequent failure: "503" or "timeout".
func failureWord(kind string, code int) string {
	if code != 0 {
		return Count(code)
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// sinceWords is a moment of today as a time, of another day as a date.
func sinceWords(t, now time.Time) string {
	if now.Sub(t) < 24*time.Hour {
		return ClockTime(t)[:5]
	}
	return t.UTC().Format("2 Jan")
}

// What a switch swaps: the list that it stands in, or all of the webhook's page, to which BackToPage leads back.
const (
	WebhooksPart = "#webhooks"
	PagePart     = "#content"
	BackToPage   = "?back=page"
)

// pageSwitch turns the webhook of the page on or off.
func (p WebhookPage) pageSwitch() SwitchView {
	s := activeSwitch(p.Overview, BackToPage)
	s.Word, s.Attrs = "Active", inPlace(s.Action, PagePart)
	return s
}

// inPlace makes a form or a link swap one part of the page with the same part of the answer, and what stands around it.
func inPlace(action, part string) templ.Attributes {
	return templ.Attributes{
		"hx-post": action, "hx-target": part, "hx-select": part, "hx-swap": "outerHTML", "hx-select-oob": "#toasts:innerHTML,#side-nav",
	}
}

// activeSwitch turns a webhook on or off; query is the filter of the list it stands in.
func activeSwitch(o store.Overview, query string) SwitchView {
	action := WebhookAddress(o.ID, "toggle") + query
	return SwitchView{Action: action, ID: "active-" + o.ID.String(), Name: "active", On: o.Active, Label: "Active: " + WebhookName(o.Webhook), Attrs: inPlace(action, WebhooksPart)}
}
