package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// apiPace is how many deliveries a minute a run of the API resends: half of an
// account's usual rate.
const apiPace = 500

// maxFilterText bounds what a filter may ask for by name, in bytes.
const maxFilterText = 128

// resendJSON is the filter of a run in the API.
type resendJSON struct {
	WebhookID *uuid.UUID `json:"webhook_id"`
	Status    *string    `json:"status"`
	Event     *string    `json:"event"`
	From      *time.Time `json:"from"`
	To        *time.Time `json:"to"`
}

func (in *resendJSON) filter() (store.DeliveryFilter, error) {
	f := store.DeliveryFilter{WebhookID: orZero(in.WebhookID), Event: orZero(in.Event), From: orZero(in.From), To: orZero(in.To)}
	var faults []web.FieldError
	if in.Event != nil && (f.Event == "" || len(f.Event) > maxFilterText) {
		faults = append(faults, web.FieldError{Field: "event", Detail: "must be an event type, or a group of them such as call.*"})
	}
	if in.Status != nil {
		status, ok := store.ParseStatus(*in.Status)
		if f.Status = []store.Status{status}; !ok || !status.Finished() {
			faults = append(faults, web.FieldError{Field: "status", Detail: "must be one of failed, dead, delivered: only finished deliveries can be resent"})
		}
	}
	return f, invalidInput(faults...)
}

// startedJSON answers a call that resends or only counts.
type startedJSON struct {
	ID    *uuid.UUID `json:"id"` // null: only counted
	Count int        `json:"count"`
	// CountedAll is false where there may be more than were counted.
	CountedAll bool `json:"counted_all"`
}

// apiStartResend begins a run that resends what matches, or counts it.
func (h *Handlers) apiStartResend(c echo.Context) error {
	var in struct {
		resendJSON
		DryRun bool `json:"dry_run"`
	}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountIn(c)
	if in.WebhookID != nil {
		if _, err := h.liveWebhook(ctx, account, *in.WebhookID); err != nil {
			return err
		}
	}
	f, err := in.filter()
	if err != nil {
		return err
	}
	if in.DryRun {
		p, err := h.store.PreviewResend(ctx, account, f)
		if err != nil {
			return err
		}
		return web.JSON(c, http.StatusAccepted, startedJSON{nil, p.Count, p.All})
	}
	run, p, err := h.store.StartResend(ctx, account, store.NewResend{Filter: f, Pace: apiPace, By: byKey(c)})
	if err != nil {
		return err
	}
	c.Response().Header().Set("Location", apiPath+"/deliveries/resend/"+run.ID.String())
	return web.JSON(c, http.StatusAccepted, startedJSON{&run.ID, p.Count, p.All})
}

// runJSON is a run in the API.
type runJSON struct {
	ID    uuid.UUID `json:"id"`
	State string    `json:"state"`
	resendJSON
	PerMinute  *int       `json:"per_minute"` // null: as fast as the account's rate allows
	Count      int        `json:"count"`
	CountedAll bool       `json:"counted_all"`
	Resent     int        `json:"resent"`
	Skipped    int        `json:"skipped"`
	Delivered  int        `json:"delivered"`
	Failed     int        `json:"failed"`
	Dead       int        `json:"dead"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	EndedAt    *time.Time `json:"ended_at"`
}

func runOf(r *store.ResendRun) runJSON {
	status := r.Filter.Status[0].String()
	return runJSON{
		ID: r.ID, State: r.State, PerMinute: orNull(r.Pace), Count: r.Total, CountedAll: r.Counted, Resent: r.Resent, Skipped: r.Skipped,
		Delivered: r.Delivered, Failed: r.Failed, Dead: r.Dead, CreatedBy: r.CreatedBy, CreatedAt: r.CreatedAt.Time, EndedAt: timeOrNull(r.EndedAt),
		resendJSON: resendJSON{
			orNull(r.Filter.WebhookID), &status, orNull(r.Filter.Event),
			timeOrNull(store.At(r.Filter.From)), timeOrNull(store.At(r.Filter.To)),
		},
	}
}

// apiResendRun shows how far a run is.
func (h *Handlers) apiResendRun(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	run, err := h.store.ResendRun(c.Request().Context(), accountIn(c), id)
	if err == nil {
		err = noParameters(c)
	}
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, runOf(&run))
}
