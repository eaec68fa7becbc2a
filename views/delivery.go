package views

import "time"

// DeliveryView is the page of one delivery.
type DeliveryView struct {
	ID          string
	Event       string
	Test        bool
	State       State
	URL         string
	WebhookHref string // empty: a free URL
	Agent       string
	EventHref   string
	Why         WhyView
	Steps       []StepView
	Limit       string // time limit of an attempt, in words
	Attempts    []AttemptView
	Unlisted    int // older attempts than those
	Next        *NextView
	Exchange    *ExchangeView
	Curl        string // the chosen attempt as a command; empty: none was made
	Resend      ResendView
	PageURL     string // the page with its chosen attempt
	LiveURL     string // tells of changes since this page
}

// WhyView is the sentence that says where a delivery stands, and why.
type WhyView struct {
	Question, Bold, Text string
	Do                   Link      // what one can do about it
	Label                string    // above the countdown: "Next attempt"
	At                   time.Time // zero: nothing to count down to
}

// NextView is the attempt to come.
type NextView struct {
	Title string
	When  time.Time
	After string
}

// ExchangeView is the request and the answer of one attempt.
type ExchangeView struct {
	Attempt     string // "attempt 3"
	RequestLine string
	Request     []HeaderLine
	RequestBody string
	BodyNote    string // instead of the body
	Outcome     State
	Answered    bool
	Problem     string // why there is no answer
	AnswerLine  string
	Answer      []HeaderLine
	AnswerBody  string
	AnswerNote  string
	Facts       string // where it was sent from and to
}

// ResendView is what the resend button does.
type ResendView struct {
	Disabled string // why it can't be resent
	Now      bool   // it waits, and sending means now
	Ask      bool   // ask first: it was delivered already
	Open     bool   // the page was asked for with the question open
	Primary  bool
	Action   string
	Token    string
	Text     string // of the question
}

func (r ResendView) verb() string {
	if r.Now {
		return "Send now"
	}
	return "Resend"
}

// busy is what the button says until the answer is there.
func (r ResendView) busy() string {
	if r.Now {
		return "Sending…"
	}
	return "Resending…"
}

// attemptsLine says how to read the attempts, and which are not there.
func (v DeliveryView) attemptsLine() string {
	line := "phases on their own scale, totals against the " + v.Limit + " limit"
	if v.Unlisted > 0 {
		line += "; the newest " + Count(len(v.Attempts)) + " of " + Count(len(v.Attempts)+v.Unlisted) + " are listed"
	}
	return line
}

func (r ResendView) kind() string {
	if r.Primary {
		return "primary"
	}
	return ""
}

// hostAndPath is a URL as people read it.
func hostAndPath(url string) string {
	host, rest := SplitURL(url)
	return host + rest
}
