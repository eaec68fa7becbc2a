package views

import "github.com/a-h/templ"

// EventsView is a page of the list of events.
type EventsView struct {
	Retention string
	Filters   FiltersView
	Controls  []FilterView
	Filtered  bool
	Unknown   []Unknown
	Backwards bool // the time asked for ends before it begins
	Matching  CountView
	Total     int // without filters; asked only where nothing matches
	ClearURL  string
	Live      LiveView
	Export    ExportView
	Rows      []EventLine
	Searched  Searched
	Newer     string
	Older     string
	PerPage   int
}

func eventColumns() []Column {
	return []Column{
		{Label: "Event"}, {Label: "Agent"}, {Label: "Id", Class: "col-id"}, {Label: "Went"}, {Label: "Size", Class: "num"}, {Label: "Published", Class: "num"},
	}
}

// EventLine is an event as one row.
type EventLine struct {
	ID, Type, Agent, Size string
	Went                  string // "to 2 webhooks"
	Nobody                bool   // it went to no webhook
	When                  templ.Component
	Fresh                 bool // came while the page was open
}

// RowID is the id of an event's row in a page.
func (l EventLine) RowID() string { return "e-" + l.ID }

// Href leads to the event's own page.
func (l EventLine) Href() string { return "/setup/webhooks/events/" + l.ID }

// elsewhere says why no event may match.
func (v EventsView) elsewhere() string {
	if v.Backwards {
		return backwards
	}
	return totalWords(v.Total, v.Matching.Most, "event", "events") + " without them. Tests are not among the events; they are in the log of deliveries."
}

// EventView is the page of one event.
type EventView struct {
	ID, Type, Agent string
	Test            bool
	Published       templ.Component
	Occurred        string // where it differs from when it was published
	Data            string
	Bodies          []Choice // pretty and raw
	Raw             bool     // the data as it is sent
	AllHref         string   // the page with all of the data; empty: it is this one
	Size            string
	Verdicts        []VerdictLine
	Deliveries      []DeliveryLine
	TestHref        string // tries its data; empty for who may not
}

// VerdictLine says why an event went to a webhook or did not.
type VerdictLine struct {
	State        State
	Text         string
	URL, Href    string
	DeliveryHref string
}

func (v EventView) body() bodyView {
	return bodyView{id: "event-data", text: v.Data, raw: v.Raw, ways: v.Bodies, all: v.AllHref}
}
