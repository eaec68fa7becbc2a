package views

import "github.com/a-h/templ"

// LogsView is a page of the log of deliveries.
type LogsView struct {
	Retention string // "30 days"
	Filters   FiltersView
	Controls  []FilterView
	Filtered  bool
	Matching  int // counted no further than CountMost; -1: not counted
	Failed    int // of them; -1 where the filters leave no room for the question
	CountMost int
	// CountedAll says that Matching is of all deliveries, not of the newest alone.
	CountedAll bool
	Searched   Searched
	FailedURL  string
	ClearURL   string
	EventsURL  string // the same text among the events; empty: no text is looked for
	Rows       []DeliveryLine
	Total      int // without filters; asked only where nothing matches
	LiveURL    string
	PageURL    string // this page again
	Newer      string
	Older      string
	PerPage    int
}

func (v LogsView) pageWords() string {
	if !v.CountedAll {
		return Count(v.PerPage) + " per page"
	}
	return Count(v.PerPage) + " per page, " + CountUpTo(v.Matching, v.CountMost) + " in all"
}

// elsewhere says where what was looked for may be when no delivery matches.
func (v LogsView) elsewhere() string {
	words := Plural(v.Total, "delivery", "deliveries") + " without them."
	if v.EventsURL != "" {
		words += " An event that went to no webhook stands among the events, with the reason."
	}
	return words
}

// liveBody makes the rows of a table follow the log.
func (v LogsView) liveBody() templ.Attributes {
	if v.LiveURL == "" {
		return nil
	}
	return templ.Attributes{"hx-sse:connect": v.LiveURL, "hx-swap": "innerHTML"}
}

// LogTabs lead between deliveries and events.
func LogTabs(events bool) []Choice {
	return []Choice{{Label: "Deliveries", Href: "/setup/webhooks/logs", Current: !events}, {Label: "Events", Href: "/setup/webhooks/events", Current: events}}
}

// RowChanges is what a page of the log has to change to be up to date.
type RowChanges struct {
	// All replaces every row where it is not nil; then nothing else is looked at.
	All     []DeliveryLine
	New     []DeliveryLine // to go on top, newest first
	Changed []DeliveryLine
	Gone    []string // ids
}

// Empty says that nothing is to change.
func (c RowChanges) Empty() bool { return c.All == nil && len(c.New)+len(c.Changed)+len(c.Gone) == 0 }
