package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// maxOffset is how far a list can be leafed through by offset.
const maxOffset = 10_000

// deliveryJSON is a delivery in the API.
type deliveryJSON struct {
	ID             uuid.UUID  `json:"id"`
	WebhookID      *uuid.UUID `json:"webhook_id"` // null: a test to a free URL
	EventID        uuid.UUID  `json:"event_id"`
	Event          string     `json:"event"`
	Test           bool       `json:"test"`
	Status         string     `json:"status"`
	Held           *string    `json:"held"`
	Attempts       int        `json:"attempts"`
	MaxAttempts    int        `json:"max_attempts"`
	NextAttemptAt  *time.Time `json:"next_attempt_at"`
	LastStatusCode *int       `json:"last_status_code"`
	LastError      *string    `json:"last_error"`
	LastDetail     *string    `json:"last_detail"`
	CreatedAt      time.Time  `json:"created_at"`
	DeliveredAt    *time.Time `json:"delivered_at"`
}

func deliveryOf(d *store.Delivery) deliveryJSON {
	return deliveryJSON{
		ID: d.ID, WebhookID: orNull(d.WebhookID), EventID: d.EventID, Event: d.EventType, Test: d.Test,
		Status: d.Status.String(), Held: orNull(d.Held), Attempts: d.Attempts, MaxAttempts: d.MaxAttempts,
		NextAttemptAt: timeOrNull(d.NextAttemptAt), LastStatusCode: orNull(d.LastStatusCode), LastError: orNull(d.LastError),
		LastDetail: orNull(asText(d.LastDetail)), CreatedAt: d.CreatedAt.Time, DeliveredAt: timeOrNull(d.DeliveredAt),
	}
}

// webhookID reads the id of a webhook that may be read, deleted or not.
func (h *Handlers) webhookID(c echo.Context) (uuid.UUID, error) {
	id, err := idIn(c, "id")
	if err == nil {
		_, err = h.store.Webhook(c.Request().Context(), accountIn(c), id)
	}
	return id, err
}

// apiDeliveries lists a webhook's deliveries, newest first.
func (h *Handlers) apiDeliveries(c echo.Context) error {
	id, err := h.webhookID(c)
	if err != nil {
		return err
	}
	f, err := deliveryFilter(c)
	if err != nil {
		return err
	}
	f.WebhookID = id
	ctx, account := c.Request().Context(), accountIn(c)
	page, err := h.store.SearchDeliveries(ctx, account, f)
	if err != nil {
		return err
	}
	total, err := h.store.CountOfWebhook(ctx, account, id, f.Status...)
	if err != nil {
		return err
	}
	list := make([]deliveryJSON, len(page.List))
	for i := range page.List {
		list[i] = deliveryOf(&page.List[i])
	}
	c.Response().Header().Set("X-Total-Count", strconv.FormatInt(total, 10))
	if next := page.Next(false); next != uuid.Nil {
		linkNext(c, next)
	}
	return web.JSON(c, http.StatusOK, list)
}

func deliveryFilter(c echo.Context) (store.DeliveryFilter, error) {
	q := queryOf(c)
	f := store.DeliveryFilter{
		Limit: q.limit(), Before: q.cursor(),
		Offset: q.number("offset", 0, maxOffset, 0, `; to go further follow the Link header's rel="next"`),
	}
	if name := q.text("status"); name != "" {
		status, ok := store.ParseStatus(name)
		if !ok {
			statuses := []string{"pending", "processing", "delivered", "failed", "dead"}
			q.refuse("status", "must be one of "+strings.Join(statuses, ", ")+meant(name, statuses))
		}
		f.Status = []store.Status{status}
	}
	if f.Offset > 0 && f.Before != uuid.Nil {
		q.refuse("offset", "goes without cursor: a cursor says where to begin already")
	}
	return f, q.err()
}

func (h *Handlers) apiSummary(c echo.Context) error {
	id, err := h.webhookID(c)
	if err != nil {
		return err
	}
	n, err := h.store.Summary(c.Request().Context(), accountIn(c), id)
	if err == nil {
		err = noParameters(c)
	}
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, struct {
		Total      int64 `json:"total"`
		Pending    int64 `json:"pending"`
		Processing int64 `json:"processing"`
		Delivered  int64 `json:"delivered"`
		Failed     int64 `json:"failed"`
		Dead       int64 `json:"dead"`
	}{n.Total(), n.Pending, n.Processing, n.Delivered, n.Failed, n.Dead})
}

// apiDelivery shows one delivery with its newest attempts.
func (h *Handlers) apiDelivery(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountIn(c)
	d, err := h.store.Delivery(ctx, account, id)
	if err == nil {
		err = noParameters(c)
	}
	if err != nil {
		return err
	}
	attempts, err := h.store.Attempts(ctx, account, id)
	if err != nil {
		return err
	}
	log := make([]attemptJSON, len(attempts))
	for i := range attempts {
		log[i] = attemptOf(&attempts[i])
	}
	return web.JSON(c, http.StatusOK, struct {
		deliveryJSON
		AttemptLog []attemptJSON `json:"attempt_log"`
	}{deliveryOf(&d), log})
}

// apiResend sends a delivery again; the answer tells whether it is held.
func (h *Handlers) apiResend(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountIn(c)
	if _, err := h.store.Delivery(ctx, account, id); err != nil {
		return err
	}
	if err := noBody(c); err != nil {
		return err
	}
	d, err := h.store.Resend(ctx, account, id)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusAccepted, deliveryOf(&d))
}

// apiSendMissed sends what a webhook missed while it was inactive, or counts it.
func (h *Handlers) apiSendMissed(c echo.Context) error {
	id, err := h.liveID(c)
	if err != nil {
		return err
	}
	var in struct {
		Since  *time.Time `json:"since"`
		DryRun bool       `json:"dry_run"`
	}
	if err := optionalBody(c, &in); err != nil {
		return err
	}
	work := h.store.SendMissed
	if in.DryRun {
		work = h.store.CountMissed
	}
	n, err := work(c.Request().Context(), accountIn(c), id, orZero(in.Since))
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusAccepted, map[string]int{"count": n})
}

// attemptJSON is one attempt in the API.
type attemptJSON struct {
	Number        int         `json:"number"`
	StartedAt     time.Time   `json:"started_at"`
	StatusCode    *int        `json:"status_code"` // null: no answer
	Error         *string     `json:"error"`       // null: it succeeded
	Detail        *string     `json:"detail"`
	DurationMS    float64     `json:"duration_ms"`
	Node          string      `json:"node"`
	RemoteAddress *string     `json:"remote_address"`
	Phases        phasesJSON  `json:"phases"`
	Request       requestJSON `json:"request"`
	// Response is null where no answer came.
	Response *responseJSON `json:"response"`
}

type phasesJSON struct {
	DNS       float64 `json:"dns_ms"`
	Connect   float64 `json:"connect_ms"`
	TLS       float64 `json:"tls_ms"`
	FirstByte float64 `json:"first_byte_ms"`
}

// requestJSON has a null body once retention took it.
type requestJSON struct {
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
}

type responseJSON struct {
	requestJSON
	Truncated bool `json:"truncated"`
}

func attemptOf(a *store.Attempt) attemptJSON {
	out := attemptJSON{
		Number: a.Number, StartedAt: a.StartedAt.Time, StatusCode: orNull(a.StatusCode), Error: orNull(a.Error),
		Detail: orNull(asText(a.Detail)), DurationMS: milliseconds(a.Duration), Node: a.Node, RemoteAddress: orNull(a.RemoteAddress),
		Phases: phasesJSON{
			milliseconds(a.Phases.DNS), milliseconds(a.Phases.Connect), milliseconds(a.Phases.TLS), milliseconds(a.Phases.FirstByte),
		},
		Request: requestJSON{headersJSON(a.Request), keptBody(a, a.RequestBody)},
	}
	if a.StatusCode != 0 {
		out.Response = &responseJSON{requestJSON{headersJSON(a.Response), keptBody(a, a.ResponseBody)}, a.Truncated}
	}
	return out
}

func keptBody(a *store.Attempt, body []byte) *string {
	if a.BodiesRemoved {
		return nil
	}
	text := strings.ToValidUTF8(string(body), "�")
	return &text
}
