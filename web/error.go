package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
)

// Error is a request this package refuses, in words that may be shown to whoever sent it.
type Error struct {
	// Status is the HTTP status to answer with.
	Status int
	// Code names the reason for programs: lower case, words joined by underscores.
	Code string
	// Detail is a sentence for people that says what to do.
	Detail string
	// Fields names the faulty fields, where the fault is in particular ones.
	Fields []FieldError
	// Err is the cause; it is for the log only. It may be nil.
	Err error
}

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	// Field is the path of the field: `data.call_id`, `[3].event`; empty means the whole body.
	Field string `json:"field"`
	// Detail is a sentence for people.
	Detail string `json:"detail"`
}

// Error returns the status, the detail and the cause.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Detail)
	for _, f := range e.Fields {
		text += fmt.Sprintf(" [%s: %s]", f.Field, f.Detail)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// StatusOf returns the HTTP status that an error from this package or from the router stands for,
// and 500 for every other error.
func StatusOf(err error) int {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	var routed *echo.HTTPError
	if errors.As(err, &routed) {
		return routed.Code
	}
	return http.StatusInternalServerError
}
