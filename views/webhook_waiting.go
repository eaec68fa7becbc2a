package views

import (
	"time"

	"belfry/store"
)

// waitLine is one reason to wait: how many do, and when they go on.
type waitLine struct {
	Icon, Tone   string
	Count, Words string
	Next         string // before the moment, "next"; alone where there is no moment
	At           time.Time
	Then         string    // between the moments
	Last         time.Time // zero: there is no second one
	Href         string
}

// waits tells what the pending deliveries of an active webhook wait for. What an inactive one holds stands in its notice.
func (p WebhookPage) waits() []waitLine {
	pending := int(p.Summary.Pending)
	if pending == 0 || !p.Active {
		return nil
	}
	if p.Health.State == store.HealthProbing {
		return []waitLine{{
			Icon: "radar", Tone: "info", Count: Plural(pending, "delivery", "deliveries"), Words: one(pending, "is", "are") + " held while the endpoint is probed, one at a time.",
			Next: "Next probe", At: p.Health.NextTry.Time, Then: ", all others after its first success", Href: p.logs("status", "pending"),
		}}
	}
	var lines []waitLine
	if p.Waiting.Due > 0 {
		lines = append(lines, p.dueLine())
	}
	if rest := pending - int(p.Waiting.Due); rest > 0 && !p.Waiting.NextAt.IsZero() {
		line := waitLine{
			Icon: "clock", Tone: "idle", Count: Plural(rest, "delivery", "deliveries"), Words: one(rest, "waits", "wait") + " for the next attempt.",
			Next: "Next", At: p.Waiting.NextAt.Time, Href: p.logs("status", "pending"),
		}
		if p.Waiting.LastAt.After(p.Waiting.NextAt.Time) {
			line.Then, line.Last = ", the last", p.Waiting.LastAt.Time
		}
		lines = append(lines, line)
	}
	return lines
}

func (p WebhookPage) dueLine() waitLine {
	due := int(p.Waiting.Due)
	line := waitLine{Icon: "clock", Tone: "idle", Count: totalWords(due, store.CountedDue, "delivery", "deliveries"), Words: one(due, "is", "are") + " due.", Next: "Oldest first, " + Count(p.InFlight) + " at once at most", Href: p.logs("status", "pending")}
	if p.Health.State == store.HealthHeld {
		line.Icon, line.Tone, line.Words = "hourglass", "warn", one(due, "is", "are")+" held by the account's rate."
		line.Next, line.Href = "Oldest first, "+EvenRate(p.RatePerMinute), p.logs("status", "held")
	}
	return line
}

// one gives the verb that goes with n things.
func one(n int, single, many string) string {
	if n == 1 {
		return single
	}
	return many
}
