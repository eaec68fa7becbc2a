package handlers

import (
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/worker/signature"
)

// sampleTime and sampleSignature stand in samples for what a real delivery has.
const (
	sampleTime      = "2026-11-21T14:30:00Z"
	sampleSignature = "sha256=5d41…9ab0"
)

// sampleType finds a type by name, or else the first one that is not Belfry's
// own.
func sampleType(types []store.EventType, name string) store.EventType {
	for _, t := range types {
		if t.Name == name {
			return t
		}
	}
	return types[0]
}

// sampleOf is what an endpoint at the URL receives of an event of the type.
func sampleOf(c echo.Context, t store.EventType, url string) views.Sample {
	data := []byte(t.Sample)
	if len(data) == 0 {
		data = []byte("{}")
	}
	body := signature.WithSignature(signature.Unsigned(t.Name, sampleTime, data), sampleSignature)
	return views.Sample{Event: t.Name, URL: url, Prefix: personOf(c).Account.HeaderPrefix, Signed: true, Body: string(body)}
}
