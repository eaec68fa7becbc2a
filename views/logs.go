package views

import (
	"github.com/a-h/templ"

	"belfry/store"
)

// LogsView is a page of the log of deliveries.
type LogsView struct {
	Retention string // "30 days"
	Filters   FiltersView
	Controls  []FilterView
	Filtered  bool
	Unknown   []Unknown
	Matching  int // counted no further than CountMost; -1: not counted
	Failed    int // of them; -1: not counted, or the filters leave no room for the question
	CountMost int
	// CountedAll says that Matching is of all deliveries, not of the newest alone.
	CountedAll bool
	Searched   Searched
	FailedURL  string
	ClearURL   string
	EventsURL  string // the same text among the events; empty: no text is looked for
	Rows       []DeliveryLine
	Total      int // without filters; asked only where nothing matches
	Live       LiveView
	Export     ExportView
	Resend     Link     // resends what is filtered; empty: nothing can be
	Run        *RunView // the resend that is under way, or just ended; nil: there is none
	// Backwards says that the time asked for ends before it begins.
	Backwards bool
	Newer     string
	Older     string
	PerPage   int
}

func (v LogsView) count() CountView {
	return CountView{
		Matching: v.Matching, Most: v.CountMost, One: "delivery", Many: "deliveries", Filtered: v.Filtered, All: v.CountedAll,
		Failed: v.Failed, FailedURL: v.FailedURL,
	}
}

// resendKind is how much the resend stands out: with nothing in sight to resend, less than what leads on.
func (v LogsView) resendKind() string {
	if len(v.Rows) == 0 {
		return "outline"
	}
	return "primary"
}

// CountView is how many rows of a list match.
type CountView struct {
	Matching  int // counted no further than Most; -1: not counted
	Most      int
	One, Many string // "delivery", "deliveries"
	Filtered  bool
	All       bool // counted among all, not among the newest alone
	Failed    int  // of them; said where there are some
	FailedURL string
}

// number is how many, or from how many on nobody counted.
func (v CountView) number() string { return CountUpTo(v.Matching, v.Most) }

// rest is what follows the number.
func (v CountView) rest() string {
	words, verb := v.Many, "match"
	if v.Matching == 1 {
		words, verb = v.One, "matches"
	}
	if !v.All && v.Matching < v.Most {
		words = "of the newest " + Count(store.CountedNewest) + " " + v.Many
	}
	if v.Filtered {
		words += " " + verb
	}
	return words
}

// totalWords say how many rows there are, counted no further than most.
func totalWords(n, most int, one, many string) string {
	if n < most {
		return Plural(n, one, many)
	}
	return CountUpTo(n, most) + " " + many
}

// pageWords say how long a page is, where there is more than one, and how many
// rows there are where that is known.
func pageWords(perPage int, v CountView) string {
	if !v.All || v.Matching < 0 {
		return Count(perPage) + " per page"
	}
	if v.Matching <= perPage {
		return v.number() + " in all"
	}
	return Count(perPage) + " per page, " + v.number() + " in all"
}

// elsewhere says where what was looked for may be when no delivery matches.
func (v LogsView) elsewhere() string {
	if v.Backwards {
		return backwards
	}
	words := totalWords(v.Total, v.CountMost, "delivery", "deliveries") + " without them."
	if v.EventsURL != "" {
		words += " An event that went to no webhook stands among the events, with the reason."
	}
	return words
}

// LogTabs lead between deliveries and events.
func LogTabs(events bool) []Choice {
	return []Choice{{Label: "Deliveries", Href: "/setup/webhooks/logs", Current: !events}, {Label: "Events", Href: "/setup/webhooks/events", Current: events}}
}

const backwards = "The time asked for ends before it begins: change From or To."

// RefreshHeader is in a request by which an open page looks at a part of itself
// anew. What is left for the next page is not for it.
const RefreshHeader = "Belfry-Refresh"

func asRefresh() templ.Attributes {
	return templ.Attributes{"hx-headers": `{"` + RefreshHeader + `":"true"}`}
}

// LiveView is how a page follows its list.
type LiveView struct {
	URL    string // of the stream; empty: the list is not followed
	First  string // the address of the first page, where new rows come
	Older  bool   // the page is not the first: new rows are announced only
	What   string // what the rows are: "deliveries"
	Detail string // beside the word Live
	Steady bool   // rows rarely come or go: nobody needs to pause it
}

// ExportView is how what is filtered is taken out as a file.
type ExportView struct {
	Action string // empty: the visitor may not
	Keep   []Option
	Words  string // what comes out
	Data   string // what may be ticked besides; empty: nothing
}

// RowChanges is what a page of a list has to change to be up to date.
type RowChanges struct {
	// All replaces every row where it is not nil; then nothing else is looked at.
	All     []templ.Component
	New     []templ.Component // to go on top, newest first
	Changed []ChangedRow
	Gone    []string // ids of elements
}

// ChangedRow is a row that takes the place of the one with its element's id.
type ChangedRow struct {
	ID  string
	Row templ.Component
}

// Empty says that nothing is to change.
func (c RowChanges) Empty() bool { return c.All == nil && len(c.New)+len(c.Changed)+len(c.Gone) == 0 }
