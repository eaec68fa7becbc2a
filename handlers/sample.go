package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
	"belfry/worker/signature"
)

// sampleTime and sampleSignature stand in samples for what a real delivery has.
const (
	sampleTime      = "2026-11-21T14:30:00Z"
	sampleSignature = "sha256=5d41…9ab0"
)

// sampleType finds a type by name, or else the first there is.
func sampleType(types []store.EventType, name string) store.EventType {
	for _, t := range types {
		if t.Name == name {
			return t
		}
	}
	return types[0]
}

// arrivalOf is what an endpoint at the URL receives of an event of the type.
func arrivalOf(c echo.Context, t store.EventType, url string, signed bool) views.Sample {
	data := []byte(t.Sample)
	if len(data) == 0 {
		data = []byte("{}")
	}
	body := signature.Unsigned(t.Name, sampleTime, data)
	if signed {
		body = signature.WithSignature(body, sampleSignature)
	}
	return views.Sample{Event: t.Name, URL: url, Prefix: personOf(c).Account.HeaderPrefix, Signed: signed, Body: string(body)}
}

// samplePanel is the sample beside a form, with the types to choose from.
func samplePanel(c echo.Context, types []store.EventType, name, url string, signed bool) views.SamplePanel {
	limits := personOf(c).Account.Limits
	panel := views.SamplePanel{
		Sample: arrivalOf(c, sampleType(types, name), url, signed),
		Answer: "Answer with any 2xx within " + views.Duration(limits.Timeout) + ". " + retryWords(limits),
	}
	for _, t := range types {
		panel.Types = append(panel.Types, views.Option{Value: t.Name, Label: t.Name, Group: store.GroupTitle(t.Group)})
	}
	return panel
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
	panel := samplePanel(c, types, c.QueryParam("event"), c.QueryParam("url"), c.QueryParam("secret_kind") != "none")
	return web.Render(c, http.StatusOK, views.SampleBox(panel))
}
