package views

import (
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"belfry/store"
)

// WebhookFormPage is the form to add a webhook or to edit one.
type WebhookFormPage struct {
	Frame Frame
	Token string
	// Webhook is the one to edit; without an ID a new one is added.
	Webhook store.Webhook
	// The values as they stand in the form.
	URL, Description, Agent string
	Which                   string // "all" events or "some"
	Groups                  []PickerGroup
	SecretKind, Secret      string // "generate", "own" or "none"
	Headers                 []HeaderRow
	Active                  bool
	Version                 int64
	// Ticks are the checks of the URL.
	Ticks []Tick
	// Faults are sentences by field; Detail is about the form as a whole.
	Faults  map[string]string
	Detail  string
	Summary []FieldError
	// Existing leads to the webhook that has this URL already; without a label
	// there is none.
	Existing Link
	// Both are the values that somebody else changed meanwhile.
	Both   []BothValues
	Sample SamplePanel
	// Full says why no webhook can be added; empty: one can.
	Full string
}

// BothValues is a field of a form whose saved value is no longer the one that the form was made from.
type BothValues struct {
	Label, Yours, Saved string
}

// SamplePanel is a sample with the choice of its event type.
type SamplePanel struct {
	Sample
	Types  []Option
	Answer string // what the endpoint must do, in a sentence
}

func (p WebhookFormPage) edits() bool { return p.Version > 0 }

func (p WebhookFormPage) action() string {
	if p.edits() {
		return WebhookAddress(p.Webhook.ID, "edit")
	}
	return WebhooksAddress
}

func (p WebhookFormPage) cancel() string {
	if p.edits() {
		return WebhookAddress(p.Webhook.ID)
	}
	return WebhooksAddress
}

// chosen is the word at the right of the events' legend.
func (p WebhookFormPage) chosen() string {
	n := 0
	for _, g := range p.Groups {
		if g.Whole {
			n += len(g.Types)
		} else {
			n += g.chosen()
		}
	}
	words := Count(n) + " of " + Count(allTypes(p.Groups)) + " chosen"
	if p.Which != "some" {
		words = "All but webhook.*"
	}
	if events := perDay(p.Groups, p.Which != "some"); events > 0 {
		words += ", about " + Plural(int(events), "event", "events") + " a day"
	}
	return words
}

// head is the page's own.
func (p WebhookFormPage) head() Head {
	if p.edits() {
		return webhookCrumbs(p.Webhook, "Edit", Head{Title: "Edit webhook", Sub: "Changes count from the next attempt on, on every node within a second."})
	}
	return Head{
		Crumbs: []Link{{"Webhooks", WebhooksAddress}, {Label: "Add webhook"}}, Title: "Add webhook",
		Sub: "Belfry will POST the events you choose to this address, signed, and try again when it gets no 2xx.",
	}
}

// webhookCrumbs puts the way from the list to a page of one webhook into the head.
func webhookCrumbs(w store.Webhook, page string, h Head) Head {
	h.Crumbs = []Link{{"Webhooks", WebhooksAddress}, {WebhookName(w), WebhookAddress(w.ID)}}
	if page != "" {
		h.Crumbs = append(h.Crumbs, Link{Label: page})
	}
	return h
}

// urlField is the field of the endpoint's URL, which is checked on leaving it. What is checked stays as it was typed: only
// what stands below it comes anew. The webhook being edited is no duplicate of itself.
func urlField(value, fault string, ticks []Tick, editing string) FieldView {
	check := WebhooksAddress + "/check-url"
	if editing != "" {
		check += "?webhook=" + editing
	}
	return FieldView{
		Name: "url", Label: "Endpoint URL", Type: "url", Mono: true, Value: value, Error: fault, Ticks: ticks, Placeholder: "https://", Autocomplete: "off", Checked: true,
		Hint: "An https address that can be reached from the internet.",
		Attrs: templ.Attributes{
			"hx-get": check, "hx-trigger": "change", "hx-target": "#url-ticks", "hx-include": "#agent_id", "hx-sync": "this:replace", "spellcheck": "false", "inputmode": "url",
		},
	}
}

// urlField is the field as the form shows it: a new webhook without a URL is offered the test inbox.
func (p WebhookFormPage) urlField() FieldView {
	field := urlField(p.URL, p.Faults["url"], p.Ticks, p.editing())
	if !p.edits() && p.URL == "" {
		field.Aside = inboxOffer()
		field.Autofocus = len(p.Summary) == 0 && p.Detail == "" && p.Full == ""
	}
	return field
}

// editing is the id of the webhook that the form changes; empty where it adds one.
func (p WebhookFormPage) editing() string {
	if p.edits() {
		return p.Webhook.ID.String()
	}
	return ""
}

// sampleInputs are what a sample shows beside the event type.
const sampleInputs = "#url, [name=secret_kind]:checked, [name=header_name]"

// ShowSample makes touching a type show its sample.
func ShowSample(event string) templ.Attributes {
	return templ.Attributes{
		"hx-get": WebhooksAddress + "/sample?event=" + url.QueryEscape(event), "hx-trigger": "change", "hx-target": "#sample", "hx-swap": "outerHTML", "hx-include": sampleInputs,
	}
}

func secretCards(none bool) []Card {
	cards := []Card{
		{Value: "generate", Label: "Generate", Text: "32 random bytes, shown once"},
		{Value: "own", Label: "My own", Text: "8 to 256 characters", Reveals: true},
	}
	if none {
		cards = append(cards, Card{Value: "none", Label: "None", Text: "Receivers can't tell who sent it", Warn: true})
	}
	return cards
}

func orNone(value string) string {
	if value == "" {
		return "–"
	}
	return value
}

func plain(n int64) string { return strconv.FormatInt(n, 10) }
