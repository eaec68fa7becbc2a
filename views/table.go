package views

import "github.com/a-h/templ"

// Column is one column of a table.
type Column struct {
	Label  string
	Hidden bool             // the label is for screen readers only (actions)
	Class  string           // "num" right-aligned, "fit" as narrow as can be, "col-agent" and "col-id" leave first on narrow screens, "col-full" below 1400, "col-wide" below 1100, "col-mid" below 960
	Href   string           // sorts by it; empty: not sortable
	Sorted string           // "", "ascending" or "descending"
	Attrs  templ.Attributes // of the link that sorts: hx-get and so on
}

// TableView is a table. Its rows are the children: <tr> with <td>; give the cells at-state, at-when, at-name, at-detail,
// at-answer (where they stand on a phone) or not-phone, and num where the column has it.
type TableView struct {
	Caption string // for screen readers: what the rows are
	Columns []Column
	Lines   bool // rows of two lines
	BodyID  string
	Attrs   templ.Attributes // of the body: hx-sse:connect and so on
}

// FilterView is one name-and-value control in a filter row.
type FilterView struct {
	Name, Label string
	Value       string // empty is the option shown first
	Any         string // word of the empty option: "Any" when empty
	Options     []Option
	Free        bool         // any text may be typed; the options are suggestions
	Between     *BetweenView // two moments that one option stands for; nil: none does
}

// BetweenView is two moments in UTC, as fields for date and time take them.
type BetweenView struct {
	Choice   string // value of the option that asks for them
	From, To string
}

// Option is a value to choose and its word.
type Option struct {
	Value, Label string
	Group        string // options of one group stand together, may be empty
}

func (f FilterView) any() string {
	if f.Any == "" {
		return "Any"
	}
	return f.Any
}

// FiltersView is a row of filters: one GET form.
type FiltersView struct {
	Action string
	Target string // what htmx swaps with the same part of the answer: "#deliveries"
	Beside string // parts elsewhere on the page that are swapped with it: "#states"
	Keep   []Option
	Set    []Link // the filters that are set, each with the address without it
	Search *FilterView
}

// trigger is what makes htmx ask for the list: a choice at once, typing after a
// moment.
func (f FiltersView) trigger() string {
	if f.Search == nil {
		return "submit, change"
	}
	return "submit, change, input delay:300ms from:#find"
}

// setCount is how many filters are set; empty for none.
func (f FiltersView) setCount() string {
	if len(f.Set) == 0 {
		return ""
	}
	return Count(len(f.Set))
}

// optionGroups parts options by group, in their order.
func optionGroups(options []Option) [][]Option {
	var out [][]Option
	for i, option := range options {
		if i == 0 || option.Group != options[i-1].Group {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], option)
	}
	return out
}
