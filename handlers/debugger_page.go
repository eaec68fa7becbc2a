package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

const (
	debuggerPath = "/setup/webhooks/signature"
	// The debugger takes no more than this of each field, in bytes. A body is at
	// most an event's data and what stands around it.
	debuggerBody    = 320 << 10
	debuggerHeaders = 16 << 10
	debuggerSecret  = 1 << 10
)

// debuggerPage shows the empty form of the signature debugger.
func (h *Handlers) debuggerPage(c echo.Context) error {
	return h.showDebugger(c, http.StatusOK, views.DebuggerView{Token: store.NewFormToken()})
}

// debugSignature says which part of a pasted request differs from what its
// secret signs. Nothing of it is kept: the token is only there so that no other
// site posts the form.
func (h *Handlers) debugSignature(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	v := views.DebuggerView{
		Token: fields.Get(tokenField), Body: fields.Get("body"), Headers: fields.Get("headers"), Secret: fields.Get("secret"), Computed: fields.Get("computed"),
	}
	_, first, err := h.store.UseFormToken(c.Request().Context(), personOf(c).ID, v.Token)
	if err != nil {
		return err
	}
	if first {
		defer h.giveBackToken(c, v.Token)
	}
	if v.Faults = tooLong(fields); len(v.Faults) > 0 {
		return h.showDebugger(c, http.StatusUnprocessableEntity, v)
	}
	r := readReceived(v.Body, v.Headers, v.Secret, v.Computed, personOf(c).Account.HeaderPrefix, h.opt.Now())
	v.Checks = r.checks()
	v.Verdict = verdictOf(v.Checks)
	return h.showDebugger(c, http.StatusOK, v)
}

func tooLong(fields url.Values) []views.FieldError {
	var faults []views.FieldError
	for _, f := range []struct {
		name, label string
		most        int
	}{{"body", "The body", debuggerBody}, {"headers", "All headers together", debuggerHeaders}, {"secret", "The secret", debuggerSecret}, {"computed", "The signature", debuggerSecret}} {
		if len(fields.Get(f.name)) > f.most {
			faults = append(faults, views.FieldError{Field: f.name, Text: f.label + " can have at most " + views.Bytes(int64(f.most)) + ". Paste less."})
		}
	}
	return faults
}

func (h *Handlers) showDebugger(c echo.Context, status int, v views.DebuggerView) error {
	v.Prefix = personOf(c).Account.HeaderPrefix
	return web.Render(c, status, views.Debugger(h.frame(c, views.EntryTest), v))
}
