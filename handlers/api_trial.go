package handlers

import (
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

// apiTestWebhook sends a test to a registered webhook.
func (h *Handlers) apiTestWebhook(c echo.Context) error {
	id, err := h.liveID(c)
	if err != nil {
		return err
	}
	var in struct {
		Event string          `json:"event"`
		Data  json.RawMessage `json:"data"`
	}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	return h.apiSendTest(c, store.NewTest{WebhookID: id, Event: in.Event, Data: in.Data})
}

// apiTest sends a test to any URL.
func (h *Handlers) apiTest(c echo.Context) error {
	var in struct {
		URL    string               `json:"url"`
		Event  string               `json:"event"`
		Data   json.RawMessage      `json:"data"`
		Secret web.Optional[string] `json:"secret"`
	}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	if err := invalidInput(checkOwnSecret(in.Secret)...); err != nil {
		return err
	}
	return h.apiSendTest(c, store.NewTest{URL: in.URL, Secret: in.Secret.Value, Event: in.Event, Data: in.Data})
}

func (h *Handlers) apiSendTest(c echo.Context, t store.NewTest) error {
	d, err := h.store.SendTest(c.Request().Context(), accountIn(c), t)
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusAccepted, deliveryOf(&d))
}
