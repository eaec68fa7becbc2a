package handlers

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"belfry/store"
	"belfry/views"
)

// deliveryLine is a delivery as a row of a table.
func deliveryLine(d *store.Delivery) views.DeliveryLine {
	word, trouble := answerWord(d)
	line := views.DeliveryLine{
		ID: d.ID.String(), State: views.DeliveryState(d.Status.String(), d.Held), Event: d.EventType, Test: d.Test, URL: d.URL, Agent: d.AgentID,
		Attempts: strconv.Itoa(d.Attempts) + " of " + strconv.Itoa(d.MaxAttempts), Answer: word, Trouble: trouble, Took: "–", When: deliveryWhen(d),
	}
	if !d.LastAttemptAt.IsZero() && d.Status != store.Processing {
		line.Took = views.Duration(d.LastDuration)
	}
	line.Brief = briefly(d, line)
	return line
}

func deliveryLines(list []store.Delivery) []views.DeliveryLine { return deliveryLinesIn(list, "") }

// deliveryLinesIn are the rows of a list with filters, which its rows' links
// take along.
func deliveryLinesIn(list []store.Delivery, within string) []views.DeliveryLine {
	lines := make([]views.DeliveryLine, len(list))
	for i := range list {
		lines[i] = deliveryLine(&list[i])
		lines[i].Within = within
	}
	return lines
}

// answerWord is what came of the last attempt: its status code, or the kind of
// its failure. A dead delivery says why it is dead.
func answerWord(d *store.Delivery) (word string, trouble bool) {
	switch d.DeadReason() {
	case store.ReasonGone:
		return "410 gone", false
	case "deleted", "expired":
		return d.DeadReason(), false
	}
	switch {
	case d.Status == store.Processing, d.LastAttemptAt.IsZero():
		return "–", false
	case d.LastError == "":
		return strconv.Itoa(d.LastStatusCode), false
	}
	return outcomeWord(d.LastError, d.LastStatusCode), true
}

// outcomeWord names a failure in one word: the code of an answer, or the kind.
func outcomeWord(kind string, code int) string {
	if (kind == "status" || kind == "gone") && code != 0 {
		return strconv.Itoa(code)
	}
	return kind
}

// briefly says on a phone what three columns say elsewhere.
func briefly(d *store.Delivery, line views.DeliveryLine) string {
	switch {
	case d.DeadReason() == "deleted":
		return "webhook deleted"
	case d.Status == store.Dead:
		return line.Answer
	case d.Held == store.HeldRate:
		return "for the rate"
	case d.Held == store.HeldInactive:
		return "webhook inactive"
	case line.Trouble:
		return line.Attempts + ", " + line.Answer
	case line.Took == "–":
		return line.Answer
	}
	return line.Answer + ", " + line.Took
}

// deliveryWhen says when something happens or happened to the delivery.
func deliveryWhen(d *store.Delivery) templ.Component {
	switch d.Status {
	case store.Pending:
		return pendingWhen(d)
	case store.Processing:
		return words("now")
	case store.Delivered:
		return views.Ago(firstTime(d.DeliveredAt, d.FinishedAt, d.CreatedAt))
	}
	return views.Ago(firstTime(d.FinishedAt, d.LastAttemptAt, d.CreatedAt))
}

func pendingWhen(d *store.Delivery) templ.Component {
	switch {
	case d.Held == store.HeldInactive:
		return words("when reactivated")
	case d.Held == store.HeldProbing && !d.HeldUntil.IsZero():
		return views.Until("probe in ", d.HeldUntil.Time)
	case d.Held == store.HeldProbing:
		return words("being probed")
	case d.Held == store.HeldBusy:
		return words("when a slot is free")
	case d.Held == store.HeldRate: // the next token goes to the oldest that waits
		return words("in its turn")
	case d.NextAttemptAt.IsZero():
		return words("now")
	}
	return views.Until("next in ", d.NextAttemptAt.Time)
}

func firstTime(times ...store.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.Time
		}
	}
	return time.Time{}
}

// words is plain text as a component.
func words(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, templ.EscapeString(text))
		return err
	})
}
