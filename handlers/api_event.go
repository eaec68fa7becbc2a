package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// eventInput is an event as it is published.
type eventInput struct {
	Event     string               `json:"event"`
	Data      json.RawMessage      `json:"data"`
	Timestamp *time.Time           `json:"timestamp"`
	AgentID   web.Optional[string] `json:"agent_id"`
}

func (in *eventInput) event() store.NewEvent {
	return store.NewEvent{Type: in.Event, Data: in.Data, AgentID: in.AgentID.Value, Timestamp: orZero(in.Timestamp)}
}

func (h *Handlers) apiPublish(c echo.Context) error {
	var in eventInput
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	accepted, status, err := h.publish(c, []eventInput{in}, false)
	if err != nil {
		return err
	}
	return web.JSON(c, status, accepted[0])
}

func (h *Handlers) apiPublishBatch(c echo.Context) error {
	in := web.Bounded[eventInput]{Most: h.store.Limits().BatchEvents, Of: `events such as {"event":"call.ended","data":{}}`}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	accepted, status, err := h.publish(c, in.Items, true)
	if err != nil {
		return err
	}
	return web.JSON(c, status, accepted)
}

// publish keeps the events, all or none. The status is 202, or 200 where the
// answer is that of an earlier call with the same idempotency key.
func (h *Handlers) publish(c echo.Context, in []eventInput, batch bool) ([]store.Accepted, int, error) {
	p := store.Publication{AccountID: accountIn(c), Batch: batch, Events: make([]store.NewEvent, len(in))}
	var faults []web.FieldError
	for i := range in {
		if agent := in[i].AgentID; agent.Set && !agent.Null && agent.Value == "" {
			field := "agent_id"
			if batch {
				field = fmt.Sprintf("[%d].agent_id", i)
			}
			faults = append(faults, web.FieldError{Field: field, Detail: "an agent has 1 to 128 characters; leave it out where the event is about nobody"})
		}
		p.Events[i] = in[i].event()
	}
	key, err := idempotencyKey(c)
	if err != nil {
		return nil, 0, err
	}
	if err := invalidInput(faults...); err != nil {
		return nil, 0, err
	}
	p.IdempotencyKey = key
	accepted, replayed, err := h.store.Publish(c.Request().Context(), p)
	if replayed {
		return accepted, http.StatusOK, err
	}
	return accepted, http.StatusAccepted, err
}

// idempotencyKeyHeader makes the same publish call count once.
const idempotencyKeyHeader = "Idempotency-Key"

// idempotencyKey gives the call's key; empty where it has none.
func idempotencyKey(c echo.Context) (string, error) {
	switch keys := c.Request().Header.Values(idempotencyKeyHeader); {
	case len(keys) == 0:
		return "", nil
	case len(keys) > 1 || keys[0] == "":
		return "", invalidInput(web.FieldError{Field: idempotencyKeyHeader, Detail: "must be one key of 1 to 255 visible ASCII characters"})
	default:
		return keys[0], nil
	}
}

// eventJSON is an event in the API.
type eventJSON struct {
	ID        uuid.UUID       `json:"id"`
	Event     string          `json:"event"`
	AgentID   *string         `json:"agent_id"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
	Test      bool            `json:"test"`
	CreatedAt time.Time       `json:"created_at"`
	Verdicts  []verdictJSON   `json:"verdicts"`
}

// verdictJSON says why an event went to a webhook or did not.
type verdictJSON struct {
	WebhookID  uuid.UUID  `json:"webhook_id"`
	Verdict    string     `json:"verdict"`
	DeliveryID *uuid.UUID `json:"delivery_id"`
}

func eventOf(e *store.Event) eventJSON {
	verdicts := make([]verdictJSON, len(e.Verdicts))
	for i, v := range e.Verdicts {
		verdicts[i] = verdictJSON{v.WebhookID, v.Reason.String(), orNull(v.DeliveryID)}
	}
	return eventJSON{
		ID: e.ID, Event: e.Type, AgentID: orNull(e.AgentID), Timestamp: e.OccurredAt.Time, Data: e.Data, Test: e.Test, CreatedAt: e.CreatedAt.Time,
		Verdicts: verdicts,
	}
}

// listedBytes is how much data of events one answer holds: a hundred events may
// have 25 MiB.
const listedBytes = 4 << 20

// apiEvents lists published events, newest first.
func (h *Handlers) apiEvents(c echo.Context) error {
	q := queryOf(c)
	f := store.EventFilter{Type: q.text("event"), AgentID: q.text("agent_id"), Limit: q.limit(), Before: q.cursor(), DataBytes: listedBytes}
	if err := q.err(); err != nil {
		return err
	}
	page, err := h.store.Events(c.Request().Context(), accountIn(c), f)
	if err != nil {
		return err
	}
	if err := h.store.NameDeliveries(c.Request().Context(), page.List); err != nil {
		return err
	}
	list := make([]eventJSON, len(page.List))
	for i := range page.List {
		list[i] = eventOf(&page.List[i])
	}
	if next := page.Next(false); next != uuid.Nil {
		linkNext(c, next)
	}
	return web.JSON(c, http.StatusOK, list)
}

// apiEvent shows one event and why it went to each webhook or did not.
func (h *Handlers) apiEvent(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	e, err := h.store.Event(c.Request().Context(), accountIn(c), id)
	if err == nil {
		err = noParameters(c)
	}
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, eventOf(&e))
}
