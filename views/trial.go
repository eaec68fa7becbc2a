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
	Left     string    // "17 of 20 tests left this minute."
	Full     string    // why no test can be sent now; empty: one can
	NextAt   time.Time // when one can be sent again; zero: now
	Preview  PreviewView
	Faults   FieldErrors
	Refusal  string // what is wrong with the whole; empty: nothing
	Answer   *TrialAnswerView
	Earlier  []EarlierTest
}

// sendAgain has the part that sends a test come back, with that of the answer,
// as soon as the next test can be sent.
func (v TrialView) sendAgain(now time.Time) templ.Attributes {
	if v.NextAt.IsZero() {
		return nil
	}
	address := "/setup/webhooks/test"
	if v.Answer != nil {
		address += "?delivery=" + v.Answer.ID
	}
	return templ.Attributes{
		"hx-get": address, "hx-trigger": "load delay:" + wholeSeconds(v.NextAt.Sub(now)+2*time.Second) + "s",
		"hx-select": "#test-send", "hx-target": "#test-send", "hx-select-oob": "#test-again", "hx-swap": "outerHTML",
	}
}

// DataView is the field for an event's data.
type DataView struct {
	Text     string
	SampleOf string // the event type whose sample the text was made from
	Error    string // with line and column
	Ticks    []Tick
}

// fits is the word beside the label of data that nothing is wrong with.
func (v DataView) fits() []Tick {
	if v.Error == "" && len(v.Ticks) == 1 && v.Ticks[0].Tone != "warn" {
		return v.Ticks
	}
	return nil
}

// field is what stands below the data: its fault, or what its schema would have
// otherwise.
func (v DataView) field() FieldView {
	f := FieldView{Name: "data", Error: v.Error}
	if f.Error == "" && v.fits() == nil {
		f.Ticks = v.Ticks
	}
	return f
}

// PreviewView is the request as it would be sent now, with what is secret
// masked.
type PreviewView struct {
	Waits   string // what it waits for: "Waits for valid data"; empty: it is as the form stands
	Line    string // "POST https://…"; empty: there is none yet
	Headers []HeaderLine
	Body    string
	Note    string
	Open    bool
}

// AgainView is the way to send a test once more.
type AgainView struct {
	Token string
	Full  string // why it can't be sent now; empty: it can
}

// TrialAnswerView is what came of a test.
type TrialAnswerView struct {
	ID      string
	Event   string
	Waiting bool
	Held    string    // why it waits before it is sent; empty: it is on its way
	Sent    time.Time // when it was asked for
	Limit   time.Duration
	State   State
	Took    string
	Bold    string
	Text    string
	Phases  *PhasesView
	Answer  []HeaderLine
	Body    string
	Note    string
	Curl    CurlView
	Node    string
	// Late says that the answer took most of the time that it has.
	Late bool
	// Refused says that the endpoint does not take the signature: 401 or 403.
	Refused bool
	Inbox   bool       // it went to the test inbox
	Again   *AgainView // nil: it can't be sent once more
}

// says is the answer in a few words, for who can't see it come.
func (v TrialAnswerView) says() string {
	if v.Took == "" { // it ended before anything was sent
		return v.Bold + " " + v.Text
	}
	if v.Late {
		return v.Bold + " " + v.State.Word + " after " + v.Took + ", close to the limit"
	}
	return v.Bold + " " + v.State.Word + " after " + v.Took
}

func (v TrialAnswerView) href() string { return "/setup/webhooks/deliveries/" + v.ID }

// allHref is the delivery's page with all of what is long.
func (v TrialAnswerView) allHref() string { return v.href() + "?all=1" }

// EarlierTest is one line of the tests before.
type EarlierTest struct {
	ID    string
	State State
	Event string
	Where string
	Took  string
	When  templ.Component
}
