package handlers

import (
	_ "embed" // for the document
	"net/http"

	"github.com/labstack/echo/v4"
)

// document describes the API (OpenAPI 3); tests hold every answer against it.
//
//go:embed openapi.json
var document []byte

// apiDocument needs no key: it says nothing that the source does not.
func (h *Handlers) apiDocument(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, document)
}
