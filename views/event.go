package views

import "github.com/a-h/templ"

// EventsView is a page of the list of events.
type EventsView struct {
	Retention string
	Filters   FiltersView
	Controls  []FilterView
	Filtered  bool
	Rows      []EventLine
	Searched  Searched
	Newer     string
	Older     string
	PerPage   int
}

// EventLine is an event as one row.
type EventLine struct {
	ID, Type, Agent, Size string
	Went                  string // "to 2 webhooks"
	Nobody                bool   // it went to no webhook
	When                  templ.Component
}

// Href leads to the event's own page.
func (l EventLine) Href() string { return "/setup/webhooks/events/" + l.ID }

// EventView is the page of one event.
type EventView struct {
	ID, Type, Agent string
	Test            bool
	Published       templ.Component
	Occurred        string // where it differs from when it was published
	Data            string
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
