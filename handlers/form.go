package handlers

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// tokenField is the name of a form's one-use token; views.Token writes it.
const tokenField = "token"

// formFaults is what is wrong with a form that is shown again.
type formFaults struct {
	// Status to answer with: 422, or 409, 403, 429, 413 as the reason has it.
	Status int
	// Detail is what is wrong with the form as a whole, as a sentence; empty
	// where single fields are.
	Detail string
	// Fields are in the order in which they were found.
	Fields []web.FieldError
	// Webhook is the one that stands in the way; zero where none does.
	Webhook uuid.UUID
}

// Of gives what is wrong with one field, as a sentence; empty: nothing.
func (f *formFaults) Of(field string) string {
	if f == nil {
		return ""
	}
	for _, wrong := range f.Fields {
		if wrong.Field == field {
			return sentence(wrong.Detail)
		}
	}
	return ""
}

// Summary is the list above the form.
func (f *formFaults) Summary() []views.FieldError {
	if f == nil {
		return nil
	}
	list := make([]views.FieldError, len(f.Fields))
	for i, wrong := range f.Fields {
		list[i] = views.FieldError{Field: wrong.Field, Text: sentence(wrong.Detail)}
	}
	return list
}

// faultsIn tells refusals of the input, which a form shows, from errors that
// are not about it.
func faultsIn(err error) (*formFaults, bool) {
	var ours *store.Error
	var refused *web.Error
	if !errors.As(err, &ours) && !errors.As(err, &refused) {
		return nil, false
	}
	f := faultOf(err)
	switch f.Status {
	case http.StatusUnprocessableEntity, http.StatusConflict, http.StatusForbidden, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge:
		faults := &formFaults{Status: f.Status, Fields: f.Fields, Webhook: f.Webhook}
		if len(f.Fields) == 0 {
			faults.Detail = f.Detail
		}
		return faults, true
	}
	return nil, false
}

// submit does the work of a posted form once, however often it is sent. do gives
// the address to go on to; sent again, the form leads there without doing
// anything. Where do refuses the input, again shows the form with what is wrong,
// and it may be sent anew with the same token. A nil again leaves refusals to
// the one error answer.
func (h *Handlers) submit(c echo.Context, token string, do func(context.Context) (next string, err error), again func(*formFaults) error) error {
	ctx := c.Request().Context()
	next, first, err := h.store.UseFormToken(ctx, personOf(c).ID, token)
	if err != nil {
		return err
	}
	if !first {
		return web.Redirect(c, lookAgain(c, next, token))
	}
	done := false
	defer func() {
		if !done {
			h.giveBackToken(c, token)
		}
	}()
	if next, err = do(ctx); err != nil {
		if faults, ok := faultsIn(err); ok && again != nil {
			return again(faults)
		}
		return err
	}
	done = true
	// What was done stays done: a visitor who left, or a token that can't be
	// answered, changes nothing about that.
	if err := h.store.AnswerFormToken(context.WithoutCancel(ctx), token, next); err != nil {
		web.Logger(c).Warn("a form's answer could not be kept", "error", err)
	}
	return web.Redirect(c, next)
}

func (h *Handlers) giveBackToken(c echo.Context, token string) {
	if err := h.store.ReleaseFormToken(context.WithoutCancel(c.Request().Context()), token); err != nil {
		web.Logger(c).Warn("a form's token could not be given back", "error", err)
	}
}

// idIn reads an id of the address. One that is no id is a 404, like one that
// nobody has.
func idIn(c echo.Context, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Param(name))
	if err != nil || id.String() != c.Param(name) {
		return uuid.Nil, errNoSuchID()
	}
	return id, nil
}

// errNoSuchID says the same as the store does of an id that it has not.
func errNoSuchID() error {
	return &store.Error{Code: store.CodeNotFound, Detail: "there is nothing with this id"}
}
