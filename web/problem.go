package web

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
)

// Problem is an error answer for programs (RFC 9457).
type Problem struct {
	// Type is a URI that names the kind of problem. Empty: about:blank, which means no more than the status.
	Type string
	// Title is the kind in words, the same every time. Empty: the name of the status.
	Title string
	// Status is the HTTP status.
	Status int
	// Detail is about this very case.
	Detail string
	// Errors names the faulty fields. It is left out when empty.
	Errors []FieldError
	// RequestID is the id under which the request is logged. It is left out when empty.
	RequestID string
	// Extra holds further members; none may have the name of one above.
	Extra map[string]any
}

// ProblemContentType is the media type of a Problem.
const ProblemContentType = "application/problem+json"

// MarshalJSON writes the members in the order of the RFC, then the extra ones by name.
func (p Problem) MarshalJSON() ([]byte, error) {
	known, err := unescaped(struct {
		Type      string       `json:"type"`
		Title     string       `json:"title"`
		Status    int          `json:"status"`
		Detail    string       `json:"detail"`
		Errors    []FieldError `json:"errors,omitempty"`
		RequestID string       `json:"request_id,omitempty"`
	}{p.Type, p.Title, p.Status, p.Detail, p.Errors, p.RequestID})
	if err != nil || len(p.Extra) == 0 {
		return known, err
	}
	for _, name := range []string{"type", "title", "status", "detail", "errors", "request_id"} {
		if _, clash := p.Extra[name]; clash {
			return nil, fmt.Errorf("problem: extra member %q has the name of a standard one", name)
		}
	}
	extra, err := unescaped(p.Extra)
	if err != nil {
		return nil, err
	}
	return append(append(known[:len(known)-1], ','), extra[1:]...), nil
}

// WriteProblem sends the problem with its status, filling in type and title where they are empty.
func WriteProblem(c echo.Context, p Problem) error {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	return sendJSON(c, p.Status, ProblemContentType, p)
}
