package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const eventsPath = "/setup/webhooks/events"

func eventPath(id uuid.UUID) string { return eventsPath + "/" + id.String() }

// eventPage shows one event: its data, why it went where, and its deliveries.
func (h *Handlers) eventPage(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	ctx, p := c.Request().Context(), personOf(c)
	e, err := h.store.Event(ctx, p.Account.ID, id)
	if err != nil {
		return err
	}
	deliveries, err := h.store.EventDeliveries(ctx, p.Account.ID, id)
	if err != nil {
		return err
	}
	v := views.EventView{
		ID: id.String(), Type: e.Type, Agent: e.AgentID, Test: e.Test, Published: views.Ago(e.CreatedAt.Time), Data: string(e.Data),
		Size: views.Bytes(int64(len(e.Data))) + " as it is sent, of at most " + views.Bytes(int64(p.Account.Limits.EventBytes)) + ".", Deliveries: deliveryLines(deliveries),
	}
	v.Raw = c.QueryParam("body") == "raw"
	q := url.Values{}
	if c.QueryParam("all") != "" {
		q.Set("all", "1")
	}
	pretty := withQuery(eventPath(id), q)
	q.Set("body", "raw")
	v.Bodies = bodyChoices(pretty, withQuery(eventPath(id), q), v.Raw)
	if !q.Has("all") {
		q.Set("all", "1")
		if !v.Raw {
			q.Del("body")
		}
		v.AllHref = withQuery(eventPath(id), q)
	}
	if gap := e.CreatedAt.Sub(e.OccurredAt.Time).Abs(); gap > 1e9 {
		v.Occurred = views.FullTime(e.OccurredAt.Time)
	}
	if p.Role.CanTest() {
		v.TestHref = withQuery(trialPath, url.Values{"event": {e.Type}})
	}
	if v.Verdicts, err = h.verdictLines(ctx, p.Account.ID, e, deliveries); err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, views.Event(h.frame(c, views.EntryLogs), v))
}

func (h *Handlers) verdictLines(ctx context.Context, account uuid.UUID, e store.Event, deliveries []store.Delivery) ([]views.VerdictLine, error) {
	webhooks, err := h.store.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	known := map[uuid.UUID]store.Webhook{}
	for _, w := range webhooks {
		known[w.ID] = w
	}
	lines := make([]views.VerdictLine, 0, len(e.Verdicts))
	for _, verdict := range e.Verdicts {
		w, ok := known[verdict.WebhookID]
		if !ok {
			if w, err = h.store.Webhook(ctx, account, verdict.WebhookID); err != nil && !store.IsCode(err, store.CodeNotFound) {
				return nil, err
			}
		}
		line := verdictLine(verdict, w, e)
		for i := range deliveries {
			if d := &deliveries[i]; d.ID == verdict.DeliveryID {
				line.State = views.DeliveryState(d.Status.String(), d.Held)
			}
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b views.VerdictLine) int { return verdictRank(a) - verdictRank(b) })
	return lines, nil
}

// notSubscribed is the verdict that nobody wonders about.
const notSubscribed = "Not subscribed"

// verdictRank puts the webhooks that got the event first, and those that did not
// want it last: between them are those that nearly got it.
func verdictRank(l views.VerdictLine) int {
	switch {
	case l.DeliveryHref != "":
		return 0
	case l.State.Word == notSubscribed:
		return 2
	}
	return 1
}

// verdictLine says a verdict in words. The webhook is empty where retention
// removed it. Where there is a delivery its status says more than that it was
// sent: whether it arrived.
func verdictLine(verdict store.Verdict, w store.Webhook, e store.Event) views.VerdictLine {
	line := views.VerdictLine{URL: w.URL, Href: views.WebhookAddress(verdict.WebhookID), State: views.State{Icon: "circle-dashed", Tone: "idle"}}
	if w.ID == uuid.Nil {
		line.URL, line.Href = "a webhook that was deleted", ""
	}
	switch verdict.Reason {
	case store.Sent:
		line.State = views.State{Icon: "circle-check", Tone: "ok", Word: "Sent"}
		if verdict.DeliveryID != uuid.Nil {
			line.DeliveryHref = deliveryPath(verdict.DeliveryID)
		} else {
			line.Text = "Its delivery is no longer kept."
		}
	case store.NotSubscribed:
		line.State.Word, line.Text = notSubscribed, "It did not take "+e.Type+"."
		if store.IsOwnGroup(e.Type) {
			line.Text = "It did not name " + e.Type + ". All events leaves out Belfry's own webhook.*, which must be chosen."
		}
	case store.OtherAgent:
		line.State.Word, line.Text = "Other agent", "It was bound to another agent than "+e.AgentID+"."
	case store.NoAgent:
		line.State.Word, line.Text = "No agent", "It was bound to an agent, and the event is about none."
	default:
		line.State = views.State{Icon: "circle-pause", Tone: "idle", Word: "Inactive"}
		line.Text = "It was inactive then. When it is switched on, what it missed is offered."
	}
	return line
}
