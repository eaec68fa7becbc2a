package handlers

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

// eventTypeJSON is an event type in the API; schema and sample may be null.
type eventTypeJSON struct {
	Name        string          `json:"name"`
	Group       string          `json:"group"`
	Description string          `json:"description"`
	Source      store.Source    `json:"source"`
	Schema      json.RawMessage `json:"schema"`
	Sample      json.RawMessage `json:"sample"`
}

func eventTypeOf(e *store.EventType) eventTypeJSON {
	return eventTypeJSON{e.Name, e.Group, e.Description, e.Source, e.Schema, e.Sample}
}

func (h *Handlers) apiEventTypes(c echo.Context) error {
	if err := noParameters(c); err != nil {
		return err
	}
	types, err := h.store.EventTypes(c.Request().Context(), accountIn(c))
	if err != nil {
		return err
	}
	list := make([]eventTypeJSON, len(types))
	for i := range types {
		list[i] = eventTypeOf(&types[i])
	}
	return web.JSON(c, http.StatusOK, list)
}

func (h *Handlers) apiAddEventType(c echo.Context) error {
	var in struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"schema"`
		Sample      json.RawMessage `json:"sample"`
	}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	added, err := h.store.AddEventType(c.Request().Context(), accountIn(c), store.EventType{
		Name: in.Name, Description: in.Description, Schema: in.Schema, Sample: in.Sample,
	})
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusCreated, eventTypeOf(&added))
}
