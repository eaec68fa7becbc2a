package views

import (
	"strconv"
	"time"

	"github.com/a-h/templ"

	"belfry/store"
)

// BulkView asks before many deliveries are resent.
type BulkView struct {
	Preview  store.ResendPreview
	Status   store.Status // of what is resent
	Asked    []Fact       // what the filters ask for
	Which    []Choice     // the statuses that can be resent
	Rate     int          // requests per minute that the account may make
	Attempts int          // that a resend gives each
	Pace     string
	Action   string
	Back     string // the log with the same filters
	Token    string
	Fault    string     // why it can't be begun; empty: it can
	Unknown  []Unknown  // where there are any, nothing else is known and nothing can be begun
	Open     *RunView   // the run that has not ended; nil: there is none
	Webhooks []BulkLine // where they go
}

// Fact is a name and its value.
type Fact struct {
	Name, Value string
	Mono        bool
}

// BulkLine is a webhook to which deliveries are resent.
type BulkLine struct {
	Name, URL, Href string
	Count           int
	State           State
	Note            string // what happens to them there
}

// BulkPaces are the paces to choose from, as the form sends them, in deliveries a minute; 0 is as fast as can be.
func BulkPaces() []int { return []int{100, 500, 0} }

func (v BulkView) title() string {
	switch {
	case len(v.Unknown) > 0:
		return "Resend what?"
	case v.Preview.Count == 0:
		return "Nothing to resend"
	}
	return "Resend " + v.count() + "?"
}

func (v BulkView) sub() string {
	if v.Preview.Count == 0 {
		return ""
	}
	return "Oldest first, under the same webhook-id: receivers can drop what they have already."
}

// number is how many will be resent, as far as they were counted.
func (v BulkView) number() string {
	n := Count(v.sent())
	if !v.Preview.All {
		n += "+"
	}
	return n
}

// sent leaves out those whose webhook was deleted.
func (v BulkView) sent() int { return max(0, v.Preview.Count-v.Preview.Skipped()) }

// count is the number with its noun.
func (v BulkView) count() string {
	if v.sent() == 1 && v.Preview.All {
		return "1 " + statusNoun(v.Status, 1)
	}
	return v.number() + " " + statusNoun(v.Status, 2)
}

// statusNoun names deliveries of a status.
func statusNoun(status store.Status, n int) string {
	switch {
	case status == store.Delivered && n == 1:
		return "delivery that arrived"
	case status == store.Delivered:
		return "deliveries that arrived"
	case n == 1:
		return status.String() + " delivery"
	}
	return status.String() + " deliveries"
}

// attempts says how many attempts each gets.
func (v BulkView) attempts() string {
	text := "Each gets " + Plural(v.Attempts, "attempt", "attempts") + " on top of those it has not used"
	if v.Status == store.Delivered {
		text += ": up to " + Count(2*v.Attempts-1) + " where the first attempt arrived"
	}
	return text + "."
}

func (v BulkView) cards() CardsView {
	c := CardsView{Name: "pace", Legend: "Pace", Value: v.Pace}
	for _, pace := range BulkPaces() {
		card := Card{Value: strconv.Itoa(pace), Label: Count(pace) + " per minute", Text: v.takes(pace)}
		if pace == 0 {
			card.Label, card.Text = "As fast as the limit allows", v.takes(v.Rate)+", at up to "+Count(v.Rate)+" per minute shared with new events"
		}
		c.Cards = append(c.Cards, card)
	}
	return c
}

// takes says how long it takes at a pace.
func (v BulkView) takes(pace int) string {
	d := paceTime(v.sent(), min(pace, v.Rate))
	if !v.Preview.All {
		return "More than " + Duration(d)
	}
	if d < 2*time.Second {
		return "A moment"
	}
	return "About " + Duration(d)
}

// paceTime is how long n deliveries take at a pace per minute, in whole seconds.
func paceTime(n, pace int) time.Duration {
	return (time.Duration(n) * time.Minute / time.Duration(max(1, pace))).Round(time.Second)
}

// unable says why nothing can be begun now; empty: it can.
func (v BulkView) unable() string {
	switch {
	case v.Open != nil:
		return "Another resend has not ended. Wait for it, or cancel it."
	case v.sent() <= 0 && v.Preview.All:
		return "Their webhooks were deleted, so there is nowhere to send them."
	}
	return ""
}

// RunView is how far a run is.
type RunView struct {
	Run     store.ResendRun
	Rate    int // requests per minute that the account may make
	Href    string
	MayEdit bool
	Token   string
	In      string // what a button swaps with the same part of the answer
	Linked  bool   // the title leads to the run's page
}

// StripID is the part of a page that shows the run that is under way.
const StripID = "resend-strip"

// title says what the run does, or did.
func (v RunView) title() string {
	r := v.Run
	what := Count(r.Total) + " " + statusNoun(r.Filter.Status[0], r.Total)
	switch {
	case r.State == store.ResendCancelled && !r.Counted:
		return "Cancelled before anything was resent"
	case r.State == store.ResendCancelled:
		return "Cancelled: " + Count(r.Resent) + " of " + what + " resent"
	case !r.Counted:
		return "Counting " + statusNoun(r.Filter.Status[0], 2) + ": " + Count(r.Total) + " so far"
	case r.State == store.ResendFinished:
		return "Resent " + Count(r.Resent) + " " + statusNoun(r.Filter.Status[0], r.Resent)
	case r.State == store.ResendPaused:
		return "Paused: " + what
	}
	return "Resending " + what
}

// RunPart is one of the numbers of a run.
type RunPart struct {
	Text, Tone string
}

// parts are the numbers that say how far it is, those that are nothing left out.
func (v RunView) parts() []RunPart {
	r := v.Run
	all := []struct {
		n          int
		text, tone string
	}{
		{r.Resent, "sent", ""},
		{r.Delivered, "delivered", "ok"},
		{r.Failed, "failed again", "bad"},
		{r.Dead, "dead", "bad"},
		{r.Waiting(), "under way", ""},
		{r.Skipped, "skipped", ""},
		{v.left(), "to go", ""},
	}
	var parts []RunPart
	for i, part := range all {
		if part.n > 0 || i == 0 && r.Counted {
			parts = append(parts, RunPart{Count(part.n) + " " + part.text, part.tone})
		}
	}
	return parts
}

// left is how many will still be resent.
func (v RunView) left() int {
	if v.Run.Ended() || !v.Run.Counted {
		return 0
	}
	return v.Run.Left()
}

// Pace is how many a minute it resends.
func (v RunView) Pace() int {
	if v.Run.Pace == 0 {
		return v.Rate
	}
	return min(v.Run.Pace, v.Rate)
}

// timing says how fast it is and when it will be through.
func (v RunView) timing() string {
	r := v.Run
	switch {
	case r.State == store.ResendPaused:
		return "by " + r.ChangedBy
	case r.Ended():
		return "by " + r.CreatedBy
	case !r.Counted:
		return "resends when it has counted"
	case v.left() == 0:
		return Count(v.Pace()) + " per minute"
	}
	return Count(v.Pace()) + " per minute, about " + Duration(max(time.Second, paceTime(v.left(), v.Pace()))) + " left"
}

// polled has a part of a page fetched again while there is something to follow; select is its id.
func (v RunView) polled(address, id string) templ.Attributes {
	every := "every 2s"
	switch {
	case v.Run.Settled || v.Run.State == store.ResendCancelled && v.Run.Waiting() == 0:
		return nil
	case v.Run.Ended() || v.Run.State == store.ResendPaused:
		every = "every 10s"
	}
	return templ.Attributes{"hx-get": address, "hx-trigger": every, "hx-target": "#" + id, "hx-select": "#" + id, "hx-swap": "outerMorph"}
}

// RunState is a run's state as people read it.
func RunState(r store.ResendRun) State {
	switch {
	case r.State == store.ResendCancelled:
		return State{"ban", "ink", "Cancelled"}
	case r.State == store.ResendPaused:
		return State{"circle-pause", "warn", "Paused"}
	case r.State == store.ResendFinished:
		return State{"circle-check", "ok", "Finished"}
	case !r.Counted:
		return State{"loader", "info", "Counting"}
	}
	return State{"loader", "info", "Running"}
}

// RunPage is a run with its deliveries.
type RunPage struct {
	RunView
	Unknown []Unknown
	Asked   []Fact
	Rows    []RunRow
	Tabs    []Choice // by outcome
	Newer   string
	Older   string
	PageURL string
	LogURL  string // what it resent, in the log
}

// RunRow is a delivery of a run; without a line retention removed it.
type RunRow struct {
	ID      string
	Outcome State
	Line    *DeliveryLine
}

// RunsPage lists the runs of an account.
type RunsPage struct {
	Unknown   []Unknown
	Runs      []RunView
	MayEdit   bool
	Retention string
}

// OutcomeState is what became of a delivery of a run.
func OutcomeState(outcome string) State {
	switch outcome {
	case store.OutcomeDelivered:
		return State{"circle-check", "ok", "Delivered"}
	case store.OutcomeFailed:
		return State{"circle-x", "bad", "Failed again"}
	case store.OutcomeDead:
		return State{"ban", "ink", "Dead"}
	case store.OutcomeSkipped:
		return State{"circle-dashed", "idle", "Skipped"}
	case store.OutcomeRemoved:
		return State{"trash-2", "idle", "Removed"}
	}
	return State{"clock", "idle", "Under way"}
}

// Where many deliveries are resent from, and where the runs are.
const (
	BulkAddress = "/setup/webhooks/logs/resend"
	RunsAddress = "/setup/webhooks/logs/resends"
)

// shown is the delivery as it stands now, with what became of it in the run.
func (r RunRow) shown() DeliveryLine {
	line := *r.Line
	if r.Outcome.Word != OutcomeState(store.OutcomeWaiting).Word {
		line.State = r.Outcome
	}
	return line
}

// changed is what was done with the run last.
func (v RunView) changed() string {
	switch v.Run.State {
	case store.ResendPaused:
		return "Paused"
	case store.ResendCancelled:
		return "Cancelled"
	}
	return "Continued"
}

// none says why no delivery is shown.
func (v RunPage) none() string {
	switch {
	case v.Run.State == store.ResendRunning && v.Run.Resent == 0:
		return "The first deliveries go out in a moment."
	case v.Run.Resent+v.Run.Skipped == 0:
		return "Nothing was resent."
	}
	return "No delivery of this resend has this outcome."
}
