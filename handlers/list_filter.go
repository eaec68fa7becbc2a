package handlers

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"belfry/views"
)

// listFilter is the filters of a list, by their names in the address and in
// their order.
type listFilter []namedFilter

type namedFilter struct {
	name  string
	value *string
}

// read takes the filters from the address.
func (f listFilter) read(c echo.Context) {
	for _, filter := range f {
		*filter.value = strings.TrimSpace(c.QueryParam(filter.name))
	}
}

// ignored names what the address asks for and the filters, once they are
// settled, don't: "status nonsense". A time between two moments, and a moment
// beside another time, are no nonsense.
func (f listFilter) ignored(c echo.Context) []string {
	var ignored []string
	for _, filter := range f {
		asked := strings.TrimSpace(c.QueryParam(filter.name))
		_, isMoment := moment(asked)
		if asked == "" || *filter.value != "" || isMoment || filter.name == "time" && asked == timeBetween {
			continue
		}
		if letters := []rune(asked); len(letters) > 40 {
			asked = string(letters[:40]) + "…"
		}
		ignored = append(ignored, filter.name+" “"+asked+"”")
	}
	return ignored
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

// settle leaves what the address means: words that mean nothing are as if they
// weren't there, and of two ways to say the time one counts. A form says the
// time even where it is any; a link that names two moments doesn't.
func (r *timeRange) settle(said bool) {
	r.between = r.Time == timeBetween
	chosen := said && !r.between
	if spanOf(r.Time) == 0 {
		r.Time = ""
	}
	if _, ok := moment(r.From); !ok || chosen {
		r.From = ""
	}
	if _, ok := moment(r.To); !ok || chosen {
		r.To = ""
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
