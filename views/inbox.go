package views

import "time"

// InboxView is the test inbox: what it answers, and what arrived.
type InboxView struct {
	Token    string
	CanEdit  bool
	Answer   string // 200, 500, slow or 410
	Webhook  bool   // a webhook leads here
	Arrivals []ArrivalView
	LiveURL  string
}

// ArrivalView is one request that arrived.
type ArrivalView struct {
	ID, Event, Delivery string
	Webhook             string // its description; may be empty
	Attempt             string
	When                time.Time
	Verified            State
	Why                 string
	Answered            string
	Headers             []HeaderLine
	Body                string
	Note                string // where the body is not whole
}
