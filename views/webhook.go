package views

import (
	"net/http"
	"strconv"
	"time"

	"belfry/store"
)

// WebhookPage is the page of one webhook.
type WebhookPage struct {
	Frame   Frame
	Unknown []Unknown
	CanEdit bool
	store.Overview
	Chart   store.Chart
	Timeout time.Duration
	// InFlight is the most requests under way at once, Attempts the most per delivery, RatePerMinute the account's.
	InFlight, Attempts, RatePerMinute int
	Recent                            []DeliveryLine
	// Kinds of failure in the chart's range, most frequent first.
	Kinds   []FailureKind
	Waiting store.Waiting
	// Missed events came in while the webhook was inactive, and were neither sent nor dismissed.
	Missed store.Missed
	// LastFailure leads to the delivery that failed last; empty where there is none.
	LastFailure string
	// HeldUntil is when what is held is given up; zero while that is more than a week away.
	HeldUntil time.Time
	// HeldFor is how long deliveries are held before they are given up.
	HeldFor time.Duration
	// Confirm names the dialog that the page was asked for with; the tokens are for their forms.
	Confirm                                                          string
	RotateToken, DeleteToken, MissedToken, DismissToken, SwitchToken string
	Rotate                                                           RotateForm
	Live                                                             LiveView
}

// WebhookParts are what happens now on a page, beside its recent deliveries: health, notices, numbers, what waits. They are
// the same for all who may edit, and for all who may not: what belongs to one page only, as a form's token, stands beside
// them.
func WebhookParts(p WebhookPage) []ChangedRow {
	return []ChangedRow{
		{"health", healthPart(p)}, {"notices", noticesPart(p)}, {"numbers", numbersPart(p)}, {"waiting", waitingPart(p)},
	}
}

// RotateForm is the dialog that gives a webhook a new secret.
type RotateForm struct {
	Kind, Secret, Overlap string
	Fault, Detail         string
}

func (p WebhookPage) deleted() bool { return !p.DeletedAt.IsZero() }

// mayAct says whether the page offers to change anything.
func (p WebhookPage) mayAct() bool { return p.CanEdit && !p.deleted() }

func (p WebhookPage) at(more ...string) string { return WebhookAddress(p.ID, more...) }

func (p WebhookPage) logs(pairs ...string) string {
	return LogsAddress(append([]string{"webhook", p.ID.String()}, pairs...)...)
}

func (p WebhookPage) state() State {
	if p.deleted() {
		return State{Icon: "trash-2", Tone: "idle", Word: "Deleted"}
	}
	state := healthOf(p.Overview)
	if p.Health.State == store.HealthNone && p.Summary.Total() == 0 && len(p.Recent) > 0 {
		state.Word = "Only tests so far"
	}
	return state
}

// overlaps says whether two secrets sign now.
func (p WebhookPage) overlaps(now time.Time) bool { return p.OverlapEndsAt.After(now) }

func (p WebhookPage) numbers() []Number {
	s := p.Summary
	cell := func(label, status, icon, tone, note string) Number {
		n := map[string]int64{"pending": s.Pending, "processing": s.Processing, "delivered": s.Delivered, "failed": s.Failed, "dead": s.Dead}[status]
		if n == 0 && (status == "failed" || status == "dead") {
			note = "none"
		}
		return Number{Label: label, Value: Count(int(n)), Icon: icon, Tone: tone, Note: note, Href: p.logs("status", status)}
	}
	return []Number{
		{Label: "All", Value: Count(int(s.Total())), Note: "that the log still holds", Href: p.logs()},
		cell("Delivered", "delivered", "circle-check", "ok", "answered 2xx"),
		cell("Pending", "pending", "clock", "idle", p.pendingNote()),
		cell("Processing", "processing", "loader", "info", "of "+Count(p.InFlight)+" at once"),
		cell("Failed", "failed", "circle-x", "bad", "all "+Plural(p.Attempts, "attempt", "attempts")+" used"),
		cell("Dead", "dead", "ban", "ink", "gone, expired or deleted"),
	}
}

// pendingNote says what pending deliveries wait for.
func (p WebhookPage) pendingNote() string {
	switch {
	case p.Summary.Pending == 0:
		return "none waits"
	case p.Health.State == store.HealthInactive:
		return "held until reactivated"
	case p.Health.State == store.HealthProbing:
		return "held while probing"
	case p.Health.State == store.HealthHeld:
		return "held by the account's rate"
	}
	return "for their next attempt"
}

// ranges are the times that charts may cover.
func (p WebhookPage) ranges() []Choice {
	all := []struct {
		label string
		r     store.Range
	}{{"1 h", store.LastHour}, {"24 h", store.LastDay}, {"7 d", store.LastWeek}, {"30 d", store.LastMonth}}
	choices := make([]Choice, len(all))
	for i, a := range all {
		choices[i] = Choice{Label: a.label, Href: p.at() + "?range=" + string(a.r), Current: p.Chart.Range == a.r}
	}
	return choices
}

func (p WebhookPage) over() string {
	switch p.Chart.Range {
	case store.LastHour:
		return "1 h"
	case store.LastWeek:
		return "7 d"
	case store.LastMonth:
		return "30 d"
	}
	return "24 h"
}

func (p WebhookPage) attemptsLine() string {
	ok, all := int(p.Chart.OK), int(p.Chart.OK+p.Chart.Failed)
	if all == 0 {
		return "none in " + p.over()
	}
	return Percent(ok, all) + " of " + Plural(all, "attempt", "attempts") + " in " + p.over() + " succeeded"
}

func (p WebhookPage) label(t time.Time) string {
	switch p.Chart.Range {
	case store.LastWeek:
		return t.UTC().Format("Mon 15:04")
	case store.LastMonth:
		return t.UTC().Format("2 Jan")
	}
	return ClockTime(t)[:5]
}

func (p WebhookPage) bars() BarsView {
	v := BarsView{Unit: "attempts", Over: p.over(), Step: p.step()}
	for _, point := range p.Chart.Points {
		v.Bars = append(v.Bars, Bar{Label: p.label(point.Start.Time), Good: int(point.OK), Bad: int(point.Failed)})
	}
	return v
}

// step is the time that one bar covers, in words.
func (p WebhookPage) step() string {
	switch p.Chart.Step {
	case time.Hour:
		return "hour"
	case 24 * time.Hour:
		return "day"
	}
	return Duration(p.Chart.Step)
}

func (p WebhookPage) lines() LinesView {
	v := LinesView{Over: p.over(), Limit: p.Timeout}
	for _, point := range p.Chart.Points {
		v.Points = append(v.Points, Point{Label: p.label(point.Start.Time), P50: p.took(point.P50), P95: p.took(point.P95), P99: p.took(point.P99), None: point.P99 == 0})
	}
	return v
}

// took is a response time as it is shown.
func (p WebhookPage) took(d time.Duration) time.Duration { return withinLimit(d, p.Timeout) }

// withinLimit takes back what the steps of the scale, a fifth wide, add to times at the limit.
func withinLimit(d, limit time.Duration) time.Duration {
	if d > limit && d <= limit*6/5 {
		return limit
	}
	return d
}

// failureSentence says what the attempts of the last hour came to: "6 of 10 attempts in the last hour failed, most often
// with 503 Service Unavailable."
func failureSentence(h store.Health) string {
	n := Count(int(h.Failed)) + " of " + Count(int(h.Attempts)) + " attempts in the last hour "
	switch {
	case h.Times < h.Failed && h.Code != 0:
		return n + "failed, most often with " + statusWords(h.Code) + "."
	case h.Times < h.Failed:
		return n + "failed, most often with " + failureWord(h.Kind, 0) + "."
	case h.Code != 0:
		return n + "answered " + statusWords(h.Code) + "."
	}
	return n + "ended in " + failureWord(h.Kind, 0) + "."
}

// failureBrief says the same in a few words: "503 on 6 of 10", or where there were several kinds "8 of 10, mostly 503".
func failureBrief(h store.Health) string {
	n := Count(int(h.Failed)) + " of " + Count(int(h.Attempts))
	if h.Times < h.Failed {
		return n + ", mostly " + failureWord(h.Kind, h.Code)
	}
	return failureWord(h.Kind, h.Code) + " on " + n
}

// statusWords is a status code with its name.
func statusWords(code int) string {
	if name := http.StatusText(code); name != "" {
		return strconv.Itoa(code) + " " + name
	}
	return strconv.Itoa(code)
}
