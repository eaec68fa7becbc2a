package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

// useJSON is a limit with how much of it is used now.
type useJSON struct {
	Used int64 `json:"used"`
	Max  int64 `json:"max"`
}

func useOf(u store.Use) useJSON { return useJSON{u.Now, u.Max} }

// limitsJSON is every limit of the account.
type limitsJSON struct {
	Webhooks             useJSON `json:"webhooks"`
	RequestsPerMinute    useJSON `json:"requests_per_minute"`
	APIRequestsPerMinute useJSON `json:"api_requests_per_minute"` // of the calling key, on the node asked
	TestsPerMinute       useJSON `json:"tests_per_minute"`
	EventTypes           useJSON `json:"event_types"`
	InFlight             useJSON `json:"in_flight_per_webhook"` // of the busiest webhook
	Retries              []int64 `json:"retries"`               // seconds before each
	TimeoutSeconds       float64 `json:"timeout_seconds"`
	EventBytes           int     `json:"event_bytes"`
	BatchBytes           int     `json:"batch_bytes"`
	BatchEvents          int     `json:"batch_events"`
	AnswerBytes          int     `json:"answer_bytes"`
	RetentionDays        float64 `json:"retention_days"`
	BodiesRetentionDays  float64 `json:"bodies_retention_days"`
	HeldDays             float64 `json:"held_days"`
}

func (h *Handlers) apiLimits(c echo.Context) error {
	if err := noParameters(c); err != nil {
		return err
	}
	u, err := h.store.LimitsUse(c.Request().Context(), accountIn(c))
	if err != nil {
		return err
	}
	l := u.Limits
	calls := h.calls.Use(keyIn(c).ID.String())
	retries := make([]int64, len(l.Retries))
	for i, pause := range l.Retries {
		retries[i] = int64(pause / time.Second)
	}
	return web.JSON(c, http.StatusOK, limitsJSON{
		Webhooks: useOf(u.Webhooks), RequestsPerMinute: useOf(u.RequestsPerMinute),
		APIRequestsPerMinute: useJSON{int64(calls.Now), int64(l.APIRatePerMinute)},
		TestsPerMinute:       useOf(u.Tests), EventTypes: useOf(u.EventTypes), InFlight: useOf(u.InFlight),
		Retries: retries, TimeoutSeconds: l.Timeout.Seconds(),
		EventBytes: l.EventBytes, BatchBytes: l.BatchBytes, BatchEvents: l.BatchEvents, AnswerBytes: l.AnswerBytes,
		RetentionDays: days(l.Retention), BodiesRetentionDays: days(l.RetentionBodies), HeldDays: days(l.HeldFor),
	})
}

func days(d time.Duration) float64 { return d.Hours() / 24 }
