package views

import "time"

// InboxStartAddress is where a webhook that leads to the test inbox is added with one press.
const InboxStartAddress = "/setup/webhooks/inbox/start"

// InboxAddress is where the test inbox shows what a delivery brought.
func InboxAddress(delivery string) string { return "/setup/webhooks/inbox?delivery=" + delivery }

// InboxView is the test inbox: what it answers, and what arrived.
type InboxView struct {
	Unknown  []Unknown
	Token    string
	Start    string // token of the form that adds the webhook
	CanEdit  bool
	Answer   string // 200, 500, slow or 410
	Webhook  bool   // a webhook leads here
	Arrivals []ArrivalView
	LiveURL  string
}

// ArrivalView is one request that arrived.
type ArrivalView struct {
	ID, Event, Delivery string
	Attempt             string
	When                time.Time
	Verified            State
	Why                 string
	Answered            string
	Headers             []HeaderLine
	Body                string
	Open                bool   // it is the one that was asked for
	Apart               bool   // its headers and body are shown only once they are asked for
	Note                string // where the body is not whole
}

func (a ArrivalView) deliveryHref() string { return "/setup/webhooks/deliveries/" + a.Delivery }

// apartHref is where the headers and the body are that aren't here.
func (a ArrivalView) apartHref() string {
	if a.Open { // as others that were asked for with it
		return a.deliveryHref()
	}
	return InboxAddress(a.Delivery)
}

// inboxShown is how much the test inbox shows of all its bodies, in bytes.
const inboxShown = 3 * bodyShown

// Shorten leaves out what would make the page large: what was asked for comes
// first, then the newest.
func (v *InboxView) Shorten() {
	left := inboxShown
	for _, open := range []bool{true, false} {
		for i := range v.Arrivals {
			if a := &v.Arrivals[i]; a.Open == open {
				left -= min(len(a.Body), bodyShown)
				a.Apart = left < 0
			}
		}
	}
}

// body is what arrived; all of a long one is with its delivery.
func (a ArrivalView) body() bodyView {
	return bodyView{text: a.Body, all: a.deliveryHref() + "?all=1"}
}
