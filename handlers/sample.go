package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
	"belfry/worker/outbound"
)

// sampleSecret signs samples: no webhook's secret stands in a page.
const sampleSecret = "not the secret of any webhook"

// sampleJob is a delivery that never was, for showing how one arrives.
func sampleJob() store.Job {
	return store.Job{
		DeliveryID: uuid.MustParse("01a1fe8b-8c40-7d3a-9f21-6b0e5c47a1d2"),
		OccurredAt: time.Date(2026, 11, 21, 14, 30, 0, 0, time.UTC), Attempt: 1,
	}
}

// sampleType finds a type by name, or else the first there is.
func sampleType(types []store.EventType, name string) store.EventType {
	for _, t := range types {
		if t.Name == name {
			return t
		}
	}
	return types[0]
}

// sampleTo is where a sample goes: what decides of how it arrives.
type sampleTo struct {
	url    string // may be empty
	signed bool
	custom []string // names of custom headers; their values are secrets and stay out of it
}

// arrivalOf is what an endpoint receives of an event of the type, made by what
// makes and signs real requests.
func (h *Handlers) arrivalOf(c echo.Context, t store.EventType, to sampleTo) (views.Sample, error) {
	j := sampleJob()
	j.Endpoint, j.Event, j.Data = &store.Endpoint{HeaderPrefix: personOf(c).Account.HeaderPrefix}, t.Name, t.Sample
	for _, name := range to.custom {
		if name = strings.TrimSpace(name); name != "" && len(j.Endpoint.Headers) < store.MaxHeaders {
			j.Endpoint.Headers = append(j.Endpoint.Headers, store.Header{Name: name, Value: "••••"})
		}
	}
	if len(j.Data) == 0 {
		j.Data = []byte("{}")
	}
	if to.signed {
		j.Endpoint.Secret = sampleSecret
	}
	req, _, err := j.Request(j.OccurredAt)
	return views.Sample{Event: t.Name, URL: to.url, Headers: h.headersOf(req), Body: maskBody(string(req.Body))}, err
}

// headersOf are all headers of a request as it is sent, signatures cut.
func (h *Handlers) headersOf(req outbound.Request) []views.HeaderLine {
	var lines []views.HeaderLine
	for _, header := range append(outbound.Headers("Belfry/"+h.opt.Version, req.Header), req.Header...) {
		lines = append(lines, headerLine(header))
	}
	return lines
}

// samplePanel is the sample beside a form, with the types to choose from.
func (h *Handlers) samplePanel(c echo.Context, types []store.EventType, name string, to sampleTo) (views.SamplePanel, error) {
	limits := personOf(c).Account.Limits
	sample, err := h.arrivalOf(c, sampleType(types, name), to)
	if err != nil {
		return views.SamplePanel{}, err
	}
	panel := views.SamplePanel{
		Sample: sample,
		Answer: "Answer with any 2xx within " + views.Duration(limits.Timeout) + ". " + retryWords(limits),
	}
	for _, t := range types {
		panel.Types = append(panel.Types, views.Option{Value: t.Name, Label: t.Name, Group: store.GroupTitle(t.Group)})
	}
	return panel, nil
}

// retryWords says when a failed attempt is tried again.
func retryWords(limits store.Limits) string {
	words := ""
	for i, wait := range limits.Retries {
		switch {
		case i == 0:
		case i == len(limits.Retries)-1:
			words += " and "
		default:
			words += ", "
		}
		words += views.Duration(wait)
	}
	if words == "" {
		return "Anything else is not tried again."
	}
	return "Anything else is tried again after " + words + "."
}

// samplePart is the sample of one type, for a form that asks for another one.
func (h *Handlers) samplePart(c echo.Context) error {
	types, err := h.store.EventTypes(c.Request().Context(), personOf(c).Account.ID)
	if err != nil {
		return err
	}
	to := sampleTo{url: c.QueryParam("url"), signed: c.QueryParam("secret_kind") != "none", custom: c.QueryParams()["header_name"]}
	panel, err := h.samplePanel(c, types, c.QueryParam("event"), to)
	if err != nil {
		return err
	}
	return web.Render(c, http.StatusOK, views.SampleBox(panel))
}
