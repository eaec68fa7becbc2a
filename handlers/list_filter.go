package handlers

import (
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
	"belfry/views"
)

// listFilter is the filters of a list, by their names in the address and in
// their order.
type listFilter []namedFilter

// namedFilter is a filter, with what it takes from an address.
type namedFilter struct {
	name  string
	value *string
	// all is what a list shows without it: "all statuses".
	all string
	// words are the values of a closed list; nil: there is none.
	words []string
	// reads says of a text whether it means something; nil: of the closed list
	// each word does, and without one every text.
	reads func(string) bool
	// form says how what it reads is written: "a number from 100 to 999".
	form string
}

func anyText(name string, value *string) namedFilter { return namedFilter{name: name, value: value} }

func oneOf(name string, value *string, all string, words ...string) namedFilter {
	return namedFilter{name: name, value: value, all: all, words: words}
}

func written(name string, value *string, all, form string, reads func(string) bool) namedFilter {
	return namedFilter{name: name, value: value, all: all, form: form, reads: reads}
}

// means says whether the filter can do something with a text; with none it does
// nothing.
func (f *namedFilter) means(text string) bool {
	switch {
	case text == "":
		return true
	case f.reads != nil:
		return f.reads(text)
	}
	return f.words == nil || slices.Contains(f.words, text)
}

// query is the address of the filters without some of them, and without the
// place in the pages.
func (f listFilter) query(without ...string) url.Values {
	q := url.Values{}
	for _, filter := range f {
		if *filter.value != "" && !slices.Contains(without, filter.name) {
			q.Set(filter.name, *filter.value)
		}
	}
	return q
}

// address is a path with the filters, and with names and values besides.
func (f listFilter) address(path string, more ...string) string {
	q := f.query()
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return withQuery(path, q)
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// chips are the filters that are set, each with the address without it. Words
// are their values as people read them, by name=value.
func (f listFilter) chips(path string, words map[string]string) []views.Link {
	var links []views.Link
	for _, filter := range f {
		value := *filter.value
		if value == "" {
			continue
		}
		if word := words[filter.name+"="+value]; word != "" {
			value = word
		}
		links = append(links, views.Link{Label: value, Href: withQuery(path, f.query(filter.name))})
	}
	return links
}

// kept are the filters as hidden fields of a form.
func (f listFilter) kept() []views.Option {
	var kept []views.Option
	for _, filter := range f {
		if *filter.value != "" {
			kept = append(kept, views.Option{Value: filter.name, Label: *filter.value})
		}
	}
	return kept
}

// cursor reads the id that a page ends at; one that is none is the first page.
func cursor(c echo.Context, name string) uuid.UUID {
	id, err := uuid.Parse(c.QueryParam(name))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// timeRange is the time that a list is of, as it stands in its address: so long
// until now, or between two moments in UTC.
type timeRange struct {
	Time     string // "24h"
	From, To string // instead of it
	// between says that two moments are asked for, though none may be given yet.
	between bool
}

// timeBetween is the choice of two moments.
const timeBetween = "range"

// filters are the parts of the address that say the time.
func (r *timeRange) filters() listFilter {
	const form = "a moment is written as 2026-01-31T14:00, in UTC unless it names its zone"
	isMoment := func(text string) bool { _, ok := moment(text); return ok }
	return listFilter{
		oneOf("time", &r.Time, "all times", "15m", "1h", "24h", "7d", "30d", timeBetween),
		written("from", &r.From, "all times", form, isMoment),
		written("to", &r.To, "all times", form, isMoment),
	}
}

// settle decides, once the address is read, which of two ways to say the time
// counts. A form says the time even where it is any; a link that names two
// moments doesn't.
func (r *timeRange) settle(said bool) {
	if r.between = r.Time == timeBetween; r.between {
		r.Time = ""
	} else if said {
		r.From, r.To = "", ""
	}
	r.between = r.between || r.From+r.To != ""
}

// moment reads a time as forms and links give it; without a zone it is UTC.
func moment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// bounds are the moments that the range lies between; zero: no bound.
func (r *timeRange) bounds(now time.Time) (from, to time.Time) {
	if span := spanOf(r.Time); span > 0 {
		return now.Add(-span), time.Time{}
	}
	from, _ = moment(r.From)
	to, _ = moment(r.To)
	return from, to
}

// backwards says that the range ends before it begins, so that nothing can
// match.
func (r *timeRange) backwards() bool {
	from, to := r.bounds(time.Time{})
	return r.Time == "" && !from.IsZero() && !to.IsZero() && !from.Before(to)
}

// control is the part of a row of filters that chooses the time.
func (r *timeRange) control() views.FilterView {
	value := r.Time
	if r.between {
		value = timeBetween
	}
	return views.FilterView{
		Name: "time", Label: "Time", Value: value, Options: timeOptions(),
		Between: &views.BetweenView{Choice: timeBetween, From: fieldTime(r.From), To: fieldTime(r.To)},
	}
}

// words name the moments on chips.
func (r *timeRange) words(words map[string]string) {
	for _, bound := range []struct{ name, before, value string }{{"from", "from ", r.From}, {"to", "to ", r.To}} {
		if t, ok := moment(bound.value); ok {
			words[bound.name+"="+bound.value] = bound.before + t.Format("2 Jan 2006, 15:04") + " UTC"
		}
	}
}

// fieldTime writes a moment as a field for date and time takes it.
func fieldTime(text string) string {
	t, ok := moment(text)
	switch {
	case !ok:
		return ""
	case t.Second() == 0:
		return t.Format("2006-01-02T15:04")
	}
	return t.Format("2006-01-02T15:04:05")
}

func spanOf(word string) time.Duration {
	switch word {
	case "15m":
		return 15 * time.Minute
	case "1h":
		return time.Hour
	case "24h":
		return 24 * time.Hour
	case "7d":
		return 7 * 24 * time.Hour
	case "30d":
		return 30 * 24 * time.Hour
	}
	return 0
}

func timeOptions() []views.Option {
	return []views.Option{
		{Value: "15m", Label: "Last 15 min"},
		{Value: "1h", Label: "Last hour"},
		{Value: "24h", Label: "Last 24 h"},
		{Value: "7d", Label: "Last 7 d"},
		{Value: "30d", Label: "Last 30 d"},
		{Value: timeBetween, Label: "Between…"},
	}
}

// choiceWords are the words of the options that are chosen from, by name=value.
func choiceWords(controls []views.FilterView) map[string]string {
	words := map[string]string{}
	for _, control := range controls {
		for _, o := range control.Options {
			words[control.Name+"="+o.Value] = o.Label
		}
	}
	return words
}
