package views

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// FieldView is one field of a form: its label above, its hint or error below.
type FieldView struct {
	Name         string
	Label        string
	Value        string
	Hint         string
	Error        string // what to do about it; empty: nothing is wrong
	Optional     bool
	Type         string // text when empty
	Placeholder  string
	Autocomplete string
	Mono         bool
	Autofocus    bool
	Max          int // characters; 0: no limit said
	Rows         int // of a text area
	Options      []Option
	Ticks        []Tick
	Checked      bool             // it is checked on leaving it: room for the results is kept, with the hint in it until they come
	Aside        templ.Component  // at the label's right; may be nil
	Attrs        templ.Attributes // hx-get for checks on leaving the field
}

func (f FieldView) inputType() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f FieldView) hintID() string  { return f.Name + "-hint" }
func (f FieldView) errorID() string { return f.Name + "-error" }
func (f FieldView) ticksID() string { return f.Name + "-ticks" }

// hinted says whether the hint is shown: what is wrong with the field says more, and often the same.
func (f FieldView) hinted() bool { return f.Hint != "" && f.Error == "" }

// describedBy names what stands below the field.
func (f FieldView) describedBy() string {
	var ids []string
	switch {
	case f.Checked:
		ids = append(ids, f.ticksID())
	case f.Error != "":
		ids = append(ids, f.errorID())
	}
	if f.hinted() && !f.Checked {
		ids = append(ids, f.hintID())
	}
	return strings.Join(ids, " ")
}

// attrs are what an input, a select and a text area have in common.
func (f FieldView) attrs() templ.Attributes {
	out := templ.Attributes{"id": f.Name, "name": f.Name}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("placeholder", f.Placeholder)
	set("autocomplete", f.Autocomplete)
	set("aria-describedby", f.describedBy())
	if f.Error != "" {
		out["aria-invalid"] = "true"
	}
	if f.Autofocus || f.Error != "" { // a list of what is wrong stands before it, and takes the focus first
		out["autofocus"] = true
	}
	if f.Max > 0 {
		out["maxlength"] = strconv.Itoa(f.Max)
	}
	for name, value := range f.Attrs {
		out[name] = value
	}
	return out
}

// Tick is the result of one check, standing below a field.
type Tick struct {
	Tone string // ok, bad, warn or idle (not done yet)
	Word string
	Link Link // behind the word: what it is about
}

func (t Tick) icon() string {
	switch t.Tone {
	case "ok":
		return "check"
	case "bad", "warn":
		return "circle-alert"
	default:
		return "circle-dashed"
	}
}

// Card is one of two or three choices.
type Card struct {
	Value, Label, Text string
	Warn               bool // the text is a warning
	Reveals            bool // its choice shows what stands in the field set's children
}

// CardsView is a choice among two or three cards.
type CardsView struct {
	Name, Legend, Value, Error string
	Note                       string // at the legend's right: "4 of 25 chosen"
	Cards                      []Card
}

func (c CardsView) errorID() string { return c.Name + "-error" }

// FieldError is one line of the summary above a form; Field is the name of the field it leads to.
type FieldError struct {
	Field, Text string
}

// FieldErrors is what is wrong with a form that is shown again.
type FieldErrors []FieldError

// of is what is wrong with one field; empty: nothing.
func (e FieldErrors) of(field string) string {
	for _, f := range e {
		if f.Field == field {
			return f.Text
		}
	}
	return ""
}

// HeaderRow is one custom header in a form. Saved values are shown masked and kept when they come back empty.
type HeaderRow struct {
	Name, Value, Kept, Error string
	OfValue                  bool // the error is about the value, not the name
}

// wrong marks a field of the row, where the error is about it.
func (r HeaderRow) wrong(i int, value bool) templ.Attributes {
	if r.Error == "" || r.OfValue != value {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "autofocus": true, "aria-describedby": headerErrorID(i)}
}

func headerErrorID(i int) string { return "header-error-" + strconv.Itoa(i+1) }

// PickerGroup is one group of event types in the picker.
type PickerGroup struct {
	Title    string // "Calls"
	Wildcard string // "call.*"
	Whole    bool   // the wildcard is chosen
	Types    []PickerType
}

// PickerType is one event type in the picker.
type PickerType struct {
	Name, Text string
	Chosen     bool
	PerDay     int64            // events of the last 24 hours
	Attrs      templ.Attributes // of its box: hx-get to show the type's sample
}

func (g PickerGroup) chosen() int {
	n := 0
	for _, t := range g.Types {
		if t.Chosen {
			n++
		}
	}
	return n
}

// count is the word at the group's right.
func (g PickerGroup) count() string {
	switch n := g.chosen(); {
	case g.Whole:
		return "all " + Count(len(g.Types))
	case n > 0:
		return Count(n) + " of " + Count(len(g.Types))
	default:
		return Count(len(g.Types))
	}
}

// headerRows fills up to ten rows; those beyond the first empty one are hidden where scripts run.
func headerRows(rows []HeaderRow) []HeaderRow {
	out := append([]HeaderRow(nil), rows...)
	for len(out) < 10 {
		out = append(out, HeaderRow{})
	}
	return out
}

// perDay counts the events a day of what is chosen; all counts every group but Belfry's own, which comes only where it
// is named.
func perDay(groups []PickerGroup, all bool) int64 {
	n := int64(0)
	for _, g := range groups {
		for _, t := range g.Types {
			if all && g.Wildcard != "webhook.*" || !all && (g.Whole || t.Chosen) {
				n += t.PerDay
			}
		}
	}
	return n
}

func allTypes(groups []PickerGroup) int {
	n := 0
	for _, g := range groups {
		n += len(g.Types)
	}
	return n
}
