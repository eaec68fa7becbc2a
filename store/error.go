package store

import (
	"errors"
	"strings"

	"belfry/store/uuid"
)

// Code says what kind of refusal an Error is; each maps to one HTTP status.
type Code string

// The codes, with the status they stand for.
const (
	CodeInvalid     Code = "invalid"                // 422
	CodeNotFound    Code = "not_found"              // 404
	CodeGone        Code = "gone"                   // 410
	CodeConflict    Code = "conflict"               // 409
	CodeQuota       Code = "webhook_quota_exceeded" // 403
	CodeRate        Code = "rate_limited"           // 429
	CodeTooLarge    Code = "too_large"              // 413
	CodeFull        Code = "database_full"          // 507
	CodeUnavailable Code = "database_unavailable"   // 503
)

// FieldError is one wrong input, with a sentence that says what to do.
type FieldError struct {
	Field  string
	Detail string
}

// Error is a code and a sentence for the user; Cause is for the log only.
type Error struct {
	Code   Code
	Detail string
	Fields []FieldError
	Cause  error
	// RetryAfter in seconds, where waiting helps.
	RetryAfter int
	// Webhook is the one that has already what can be there only once; zero
	// where none stands in the way.
	Webhook uuid.UUID
}

func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Detail
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + ": " + f.Detail
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// IsCode says whether err is an Error of that code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

func notFound() *Error { return &Error{Code: CodeNotFound, Detail: "there is nothing with this id"} }

func conflict(detail string) *Error { return &Error{Code: CodeConflict, Detail: detail} }

func invalid(field, detail string) *Error {
	return &Error{Code: CodeInvalid, Detail: "the input is not valid", Fields: []FieldError{{field, detail}}}
}

// faults gathers wrong fields so that all are named at once.
type faults []FieldError

func (f *faults) add(field, detail string) { *f = append(*f, FieldError{field, detail}) }

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Detail: "the input is not valid", Fields: f}
}
