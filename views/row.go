package views

import "github.com/a-h/templ"

// DeliveryLine is a delivery as one row of a table.
type DeliveryLine struct {
	ID       string
	State    State
	Event    string
	Test     bool
	URL      string
	Agent    string // empty: about nobody in particular
	Attempts string // "3 of 6"
	Answer   string // status code or kind of failure; "–" before the first answer
	Trouble  bool   // the answer is no success
	Took     string // of the last attempt; "–" before it
	Brief    string // attempts, answer and time in few words, for a phone
	When     templ.Component
	Fresh    bool   // came while the page was open
	Within   string // the filters of the list it stands in, as an address writes them; empty: none
}

// RowID is the id of a delivery's row in a page.
func (l DeliveryLine) RowID() string { return "d-" + l.ID }

// Href leads to the delivery's own page, which knows the list it stood in.
func (l DeliveryLine) Href() string {
	if l.Within != "" {
		return "/setup/webhooks/deliveries/" + l.ID + "?" + l.Within
	}
	return "/setup/webhooks/deliveries/" + l.ID
}

// DeliveryColumns are the heads above DeliveryRow; without the webhook where all rows are of one.
func DeliveryColumns(withWebhook bool) []Column {
	columns := []Column{{Label: "Status"}, {Label: "Event"}}
	if withWebhook {
		columns = append(columns, Column{Label: "Webhook"})
	}
	return append(columns, Column{Label: "Agent", Class: "col-agent"}, Column{Label: "Delivery", Class: "col-id"},
		Column{Label: "Attempts", Class: "num col-mid"}, Column{Label: "Answer"}, Column{Label: "Time", Class: "num col-wide"}, Column{Label: "When", Class: "num"})
}
