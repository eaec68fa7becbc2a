package views

import (
	"time"

	"github.com/a-h/templ"
)

// TrialView is the page for sending a test.
type TrialView struct {
	MayNot   string // why this person can't send tests; empty: may
	Token    string
	To       string // webhook or url
	Webhook  string
	Webhooks []Option
	URL      string
	Secret   string
	Event    string
	Events   []Option
	Data     DataView
	Left     string // "17 of 20 tests left this minute."
	Full     bool   // none is left
	Faults   FieldErrors
	Refusal  string // what is wrong with the whole; empty: nothing
	Answer   *TrialAnswerView
	Earlier  []EarlierTest
}

// DataView is the field for an event's data.
type DataView struct {
	Text  string
	Error string
	Ticks []Tick
}

// TrialAnswerView is what came of a test.
type TrialAnswerView struct {
	ID      string
	Event   string
	Waiting bool
	Held    string    // why it waits before it is sent; empty: it is on its way
	Sent    time.Time // when it was asked for
	State   State
	Took    string
	Bold    string
	Text    string
	Phases  *PhasesView
	Answer  []HeaderLine
	Body    string
	Note    string
	Curl    string
	Node    string
	// Refused says that the endpoint does not take the signature: 401 or 403.
	Refused bool
}

// says is the answer in a few words, for who can't see it come.
func (v TrialAnswerView) says() string {
	if v.Took == "" { // it ended before anything was sent
		return v.Bold + " " + v.Text
	}
	return v.Bold + " " + v.State.Word + " after " + v.Took
}

func (v TrialAnswerView) href() string { return "/setup/webhooks/deliveries/" + v.ID }

// EarlierTest is one line of the tests before.
type EarlierTest struct {
	ID    string
	State State
	Event string
	Where string
	Took  string
	When  templ.Component
}
