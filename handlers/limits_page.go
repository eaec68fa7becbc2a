package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

const limitsPath = "/setup/webhooks/limits"

// limitsPage shows each limit of the account with its use.
func (h *Handlers) limitsPage(c echo.Context) error {
	ctx, account := c.Request().Context(), personOf(c).Account
	use, err := h.store.LimitsUse(ctx, account.ID)
	if err != nil {
		return err
	}
	keys, err := h.store.Keys(ctx, account.ID)
	if err != nil {
		return err
	}
	l := use.Limits
	v := views.LimitsView{
		Notices: limitNotices(use),
		Rate:    []views.LimitLine{outgoingLine(use), h.callsLine(keys, l), inFlightLine(use), testsLine(use)},
		Size:    []views.LimitLine{webhooksLine(use), timeLine(use), eventLimitLine(use), answerLine(l), typesLine(use), databaseLine(use, h.opt.Now())},
		Kept:    keptFor(l), Schedule: scheduleOf(l.Retries), Retries: retriesWords(l.Retries), Rules: retryRules(),
	}
	return web.Render(c, http.StatusOK, views.Limits(h.frame(c, views.EntryLimits), v))
}

// limitNotices say which limits are reached now.
func limitNotices(u store.LimitsUse) []views.Msg {
	var notices []views.Msg
	if u.Full {
		notices = append(notices, views.Msg{
			Tone: "bad", Icon: "database", Bold: "The database has reached its budget of " + views.Bytes(u.DatabaseBudget) + ".",
			Text: "Nothing finished is left to remove, so new events are refused with 507. What was accepted is kept and delivered. Ask your operator for more room.",
		})
	}
	if u.Held > 0 {
		notices = append(notices, views.Msg{
			Tone: "warn", Icon: "hourglass", Bold: views.Plural(int(u.Held), "delivery waits", "deliveries wait") + " for the outgoing rate of " + perMinute(u.Limits.RatePerMinute) + ".",
			Text:   "They go " + rateWords(u.Limits) + ", so a burst waits also while the minute's count is below the limit. Nothing fails and no attempt is used.",
			Action: views.Link{Label: "See held", Href: logsPath + "?status=held"},
		})
	}
	if u.Webhooks.Now >= u.Webhooks.Max {
		notices = append(notices, views.Msg{
			Tone: "warn", Icon: "hourglass", Bold: amount(u.Webhooks.Now) + " of " + amount(u.Webhooks.Max) + " webhooks used.", Text: "Delete one to add another, or ask your operator for more.",
		})
	}
	if u.Tests.Now >= u.Tests.Max {
		notices = append(notices, views.Msg{Tone: "warn", Icon: "hourglass", Bold: "All tests of this minute are sent.", Text: "More can be sent in a minute."})
	}
	return notices
}

// rateWords say how the account's rate lets requests go.
func rateWords(l store.Limits) string {
	return "up to " + views.Count(l.RateBurst()) + " at once, then " + views.EvenRate(l.RatePerMinute)
}

// probeTimes say when a webhook is probed.
func probeTimes() string {
	waits := store.ProbeWaits()
	text := "after "
	for _, wait := range waits[:len(waits)-1] {
		text += views.Duration(wait) + ", "
	}
	return text + "then every " + views.Duration(waits[len(waits)-1])
}

func amount(n int64) string { return views.Count(int(n)) }

func perMinute(n int) string { return views.Count(n) + " per minute" }

func perMin(n int) string { return views.Count(n) + " per min" }

// meter shows a use in numbers of its own kind.
func meter(label string, u store.Use, tone, left, right string) *views.MeterView {
	return &views.MeterView{Label: label, Value: float64(u.Now), Peak: float64(max(u.Peak, 0)), Max: float64(u.Max), Tone: tone, Left: left, Right: right}
}

// peakWords says the peak, where it is known.
func peakWords(u store.Use) string {
	if u.Peak < 0 {
		return ""
	}
	return "peak " + amount(u.Peak)
}

// reached is the tone of a meter whose limit makes things wait or refuses them.
func reached(u store.Use, tone string) string {
	if u.Max > 0 && u.Now >= u.Max {
		return tone
	}
	return ""
}

func outgoingLine(u store.LimitsUse) views.LimitLine {
	left, tone := amount(u.RequestsPerMinute.Now)+" now", ""
	if u.Held > 0 {
		left, tone = left+", "+amount(u.Held)+" held", "warn"
	}
	return views.LimitLine{
		Name: "Outgoing requests", Text: "Over all nodes: " + rateWords(u.Limits) + ". Others wait as held. Counted here: attempts of the last minute, of any kind; the peak is the busiest minute.",
		Meter: meter("Outgoing requests", u.RequestsPerMinute, tone, left, peakWords(u.RequestsPerMinute)), Limit: perMin(u.Limits.RatePerMinute),
	}
}

// callsLine is about the busiest key on this node.
func (h *Handlers) callsLine(keys []store.APIKey, l store.Limits) views.LimitLine {
	use, busiest := store.Use{Max: int64(l.APIRatePerMinute)}, ""
	for _, k := range keys {
		if !k.RevokedAt.IsZero() {
			continue
		}
		u := h.calls.Use(k.ID.String())
		use.Peak = max(use.Peak, int64(u.Peak))
		if int64(u.Now) > use.Now {
			use.Now, busiest = int64(u.Now), k.Name
		}
	}
	text := "At the limit: 429 with Retry-After. Counted on each node."
	if busiest != "" {
		text += " Busiest key: " + busiest + "."
	}
	return views.LimitLine{
		Name: "API requests per key", Text: text, Limit: perMin(l.APIRatePerMinute),
		Meter: meter("API requests per key", use, reached(use, "bad"), amount(use.Now)+" now", peakWords(use)),
	}
}

func inFlightLine(u store.LimitsUse) views.LimitLine {
	return views.LimitLine{
		Name: "Requests in flight per webhook", Text: "Others wait; other webhooks are untouched. 1 while probing.", Limit: amount(u.InFlight.Max),
		Meter: meter("Requests in flight", u.InFlight, reached(u.InFlight, "warn"), amount(u.InFlight.Now)+" now, busiest", peakWords(u.InFlight)),
	}
}

func testsLine(u store.LimitsUse) views.LimitLine {
	return views.LimitLine{
		Name: "Test sends", Text: "At the limit the page says so.", Limit: perMin(u.Limits.TestsPerMinute),
		Meter: meter("Test sends", u.Tests, reached(u.Tests, "bad"), amount(u.Tests.Now)+" now", peakWords(u.Tests)),
	}
}

func webhooksLine(u store.LimitsUse) views.LimitLine {
	return views.LimitLine{
		Name: "Webhooks", Text: "At the limit Add Webhook is closed. Inactive ones count, deleted ones don't.", Limit: amount(u.Webhooks.Max),
		Meter: meter("Webhooks", u.Webhooks, reached(u.Webhooks, "bad"), amount(u.Webhooks.Now)+" used", amount(max(u.Webhooks.Max-u.Webhooks.Now, 0))+" left"),
	}
}

func timeLine(u store.LimitsUse) views.LimitLine {
	m := &views.MeterView{Label: "Time per request", Value: u.ResponseP95.Seconds(), Peak: u.ResponseMax.Seconds(), Max: u.Limits.Timeout.Seconds(), Left: "no answers yet"}
	if u.ResponseMax > 0 {
		m.Left, m.Right = "p95 "+views.Duration(u.ResponseP95), "peak "+views.Duration(min(u.ResponseMax, u.Limits.Timeout))
	}
	return views.LimitLine{
		Name: "Time per request", Text: "Look-up, connect, TLS, headers and body together. Past it: timeout.", Meter: m, Limit: views.Duration(u.Limits.Timeout),
	}
}

func eventLimitLine(u store.LimitsUse) views.LimitLine {
	m := &views.MeterView{Label: "Event data", Value: float64(u.EventP95), Peak: float64(u.EventMax), Max: float64(u.Limits.EventBytes), Left: "no events yet"}
	if u.EventMax > 0 {
		m.Left, m.Right = views.Bytes(u.EventP95)+", p95", "largest "+views.Bytes(u.EventMax)
	}
	text := "Larger events are refused with 413. A batch has at most " + views.Count(u.Limits.BatchEvents) + " events and " + views.Bytes(int64(u.Limits.BatchBytes)) + "."
	return views.LimitLine{Name: "Event data", Text: text, Meter: m, Limit: views.Bytes(int64(u.Limits.EventBytes))}
}

func answerLine(l store.Limits) views.LimitLine {
	return views.LimitLine{
		Name: "Answer kept", Text: "Reading stops there, the answer still counts. Headers may have 64 KiB.", Note: "Longer answers are marked in their delivery.",
		Limit: views.Bytes(int64(l.AnswerBytes)),
	}
}

func typesLine(u store.LimitsUse) views.LimitLine {
	return views.LimitLine{
		Name: "Event types of your own", Text: "At the limit an unknown type is refused with 422. Built-in ones don't count.", Limit: amount(u.EventTypes.Max),
		Meter: meter("Event types of your own", u.EventTypes, reached(u.EventTypes, "bad"), amount(u.EventTypes.Now)+" used", amount(max(u.EventTypes.Max-u.EventTypes.Now, 0))+" left"),
	}
}

func keptFor(l store.Limits) []views.Number {
	return []views.Number{
		{Label: "Finished deliveries, events", Note: "Then they are removed, oldest first. What is pending stays.", Value: views.Duration(l.Retention)},
		{Label: "Bodies of attempts", Note: "Headers, times and outcomes stay as long as their delivery.", Value: views.Duration(l.RetentionBodies)},
		{Label: "Held by an inactive webhook", Note: "Then deliveries become dead, and can still be resent.", Value: views.Duration(l.HeldFor)},
	}
}

// databaseLine shows the database's size, against its budget where it has one.
func databaseLine(u store.LimitsUse, now time.Time) views.LimitLine {
	if u.DatabaseBudget == 0 {
		return views.LimitLine{
			Name: "Database", Text: "All accounts together. Your operator may give it a budget.", Note: views.Bytes(u.DatabaseSize) + ", " + growthWords(u, now), Limit: "–",
		}
	}
	size := store.Use{Now: u.DatabaseSize, Max: u.DatabaseBudget}
	tone := ""
	if u.Full {
		tone = "bad"
	}
	return views.LimitLine{
		Name: "Database", Text: "All accounts together. At its budget the oldest finished deliveries make room; with none left new events are refused with 507.",
		Meter: meter("Database", size, tone, views.Bytes(u.DatabaseSize), growthWords(u, now)), Limit: views.Bytes(u.DatabaseBudget),
	}
}

// aboutADay is a time that is called 24 hours.
const aboutADay = 23 * time.Hour

// growthWords say how the database grew in a day, or in as much of it as is
// known.
func growthWords(u store.LimitsUse, now time.Time) string {
	since := u.GrowthSince
	if since.IsZero() {
		return "its growth is known in a minute"
	}
	words := "grew by " + views.Bytes(u.Growth)
	if u.Growth < 0 {
		words = "shrank by " + views.Bytes(-u.Growth)
	}
	if now.Sub(since.Time) >= aboutADay {
		return words + " in 24 h"
	}
	at := since.UTC().Format("15:04")
	if day := since.UTC().Format("2 Jan"); day != now.UTC().Format("2 Jan") {
		at = day + ", " + at
	}
	return words + " since " + at
}

// scheduleOf is the schedule of retries with the waits between and their sum.
func scheduleOf(waits []time.Duration) []views.ScheduleStep {
	steps := []views.ScheduleStep{{When: "0 s", Below: "published"}}
	var sum time.Duration
	for _, wait := range waits {
		steps[len(steps)-1].Wait = "wait " + views.Duration(wait)
		sum += wait
		steps = append(steps, views.ScheduleStep{When: views.Duration(sum), Below: "after publish"})
	}
	return append(steps, views.ScheduleStep{Icon: "x", When: "failed", Below: "resend any time"})
}

func retriesWords(waits []time.Duration) string {
	var sum time.Duration
	for _, wait := range waits {
		sum += wait
	}
	if len(waits) == 0 {
		return "none: one attempt, then failed"
	}
	return strconv.Itoa(len(waits)) + ", so " + strconv.Itoa(len(waits)+1) + " attempts within about " + views.Duration(sum) + ", each wait ±20%"
}

func retryRules() []views.Rule {
	return []views.Rule{
		{Name: "Asked to wait", Text: "Retry-After on 429 and 503 is honoured in full when longer, up to a day."},
		{Name: "10 failures in a row", Text: "The endpoint is probed: one request at a time, " + probeTimes() + ". One success restores it."},
		{Name: "3 days without a success", Text: "And 20 failed attempts: the webhook is deactivated, and webhook.disabled goes to the webhooks that take it."},
		{Name: "410 Gone", Text: "No retry. The delivery is dead and the webhook inactive."},
	}
}
