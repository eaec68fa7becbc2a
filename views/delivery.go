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
	Data        string   // of its event, where nothing was sent yet; empty: it was, or the event is gone
	Curl        CurlView // the chosen attempt as a command
	CurlHref    string   // the page that has the command, where the body is too long for this one; else empty
	AllHref     string   // the page with all of its data; empty: it is this one
	Resend      ResendView
	PageURL     string // the page with its chosen attempt
	LogHref     string // the log as it was filtered
	Filtered    bool
	Newer       NeighbourView
	Older       NeighbourView
	Beside      []Choice // the attempts that the chosen one can be compared with; empty: there is one only
	Difference  *DifferenceView
	LiveURL     string // tells of changes since this page
}

// CurlView is a request as a command; without a text none was made.
type CurlView struct {
	Text   string
	Masked bool // signatures or headers are cut, so the endpoint refuses it
}

func (c CurlView) label() string {
	if c.Masked {
		return "Copy as curl, masked"
	}
	return "Copy as curl"
}

// NeighbourView leads to the delivery next to this one in the list it came from.
type NeighbourView struct {
	Href   string
	Beyond bool   // none is near: the link leads on in the log
	End    string // instead of the link: the list ends here
}

// DifferenceView is what differs between two attempts.
type DifferenceView struct {
	A, B  string // "Attempt 1", "Attempt 3"
	Lines []DifferenceLine
	Same  int // what is the same in both
	More  int // headers that differ beyond those in Lines
}

// DifferenceLine is one thing that differs; an empty side has none of it.
type DifferenceLine struct {
	Part, Name, A, B string
}

// firstOf says whether the line begins a part of the table.
func (d *DifferenceView) firstOf(i int) bool { return i == 0 || d.Lines[i-1].Part != d.Lines[i].Part }

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
	Text  string // instead of what will differ; empty: that
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
	Bodies      []Choice
	Raw         bool   // bodies as they went over the wire
	AllHref     string // the page with all of the bodies; empty: it is this one
}

// ResendView is what the resend button does.
type ResendView struct {
	Disabled string // why it can't be resent
	Now      bool   // it waits, and sending means now
	Ask      bool   // ask first: it was delivered already
	Open     bool   // the page was asked for with the question open
	Primary  bool
	Action   string
	AskHref  string // the page with the question open
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

// logWord is the way back to the log.
func (v DeliveryView) logWord() string {
	if v.Filtered {
		return "Logs, filtered"
	}
	return "Logs"
}
