package views

import (
	"strings"

	"github.com/a-h/templ"
)

// webhookSorts are the orders of the list of webhooks, as they stand in its address: a column, with "-" before it the other
// way round. The first of a column's two is what a click on its head asks for.
func webhookSorts() []Option {
	return []Option{
		{Value: "", Label: "Trouble first"},
		{Value: "-health", Label: "Healthy first"},
		{Value: "endpoint", Label: "Endpoint, A to Z"},
		{Value: "-endpoint", Label: "Endpoint, Z to A"},
		{Value: "-attempts", Label: "Most attempts"},
		{Value: "attempts", Label: "Fewest attempts"},
		{Value: "success", Label: "Lowest success"},
		{Value: "-success", Label: "Highest success"},
		{Value: "-last", Label: "Latest delivery"},
		{Value: "last", Label: "Longest silence"},
	}
}

// WebhookSorts are the orders of the list of webhooks that an address can ask for instead of the usual one, trouble first.
func WebhookSorts() []string {
	var words []string
	for _, sort := range webhookSorts()[1:] {
		words = append(words, sort.Value)
	}
	return words
}

// sorts is the order as a choice, for where the table's heads are not seen.
func (p WebhooksPage) sorts() FilterView {
	all := webhookSorts()
	return FilterView{Name: "sort", Label: "Sort", Value: p.Filter.Sort, Any: all[0].Label, Options: all[1:]}
}

// orderWords say in which order the list is, behind its count.
func (p WebhooksPage) orderWords() string {
	for _, sort := range webhookSorts() {
		if sort.Value == p.Filter.Sort && len(p.Rows) > 1 {
			return ", " + strings.ToLower(sort.Label[:1]) + sort.Label[1:]
		}
	}
	return ""
}

// columns are the heads of the list; those with an order lead to it, and from there to its opposite.
func (p WebhooksPage) columns() []Column {
	return []Column{
		p.sortable(Column{Label: "Health"}, "", "-health"), p.sortable(Column{Label: "Endpoint"}, "endpoint", "-endpoint"),
		{Label: "Events", Class: "col-full"},
		p.sortable(Column{Label: "Last 24 h", Class: "col-wide"}, "-attempts", "attempts"),
		p.sortable(Column{Label: "Success", Class: "num col-mid"}, "success", "-success"),
		p.sortable(Column{Label: "Last delivery", Class: "col-mid"}, "-last", "last"),
		{Label: "Active"},
		{Label: "More", Hidden: true},
	}
}

func (p WebhooksPage) sortable(c Column, first, second string) Column {
	next := p.Filter
	switch p.Filter.Sort {
	case first:
		c.Sorted, next.Sort = direction(first), second
	case second:
		c.Sorted, next.Sort = direction(second), first
	default:
		next.Sort = first
	}
	c.Href = next.Address()
	c.Attrs = templ.Attributes{
		"id": "by-" + strings.ToLower(strings.ReplaceAll(c.Label, " ", "-")), "hx-get": c.Href, "hx-target": "#list", "hx-select": "#list",
		"hx-swap": "outerHTML", "hx-push-url": "true", "hx-select-oob": "#states,#sort",
	}
	return c
}

func direction(sort string) string {
	if strings.HasPrefix(sort, "-") {
		return "descending"
	}
	return "ascending"
}
