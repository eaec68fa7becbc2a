package handlers

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// pageSize is how many rows a list has unless limit= says otherwise, and
// maxPageSize the most it may ask for.
const (
	pageSize    = 20
	maxPageSize = 100
)

// query reads the parameters of an address and gathers what is wrong with them.
// Parameters nobody asks for are refused: a filter that is misspelt would give
// everything, and dry_run in the address of a call would not hold it back.
type query struct {
	values url.Values
	asked  []string
	faults []web.FieldError
}

func queryOf(c echo.Context) *query { return &query{values: c.QueryParams()} }

func (q *query) refuse(name, detail string) {
	q.faults = append(q.faults, web.FieldError{Field: name, Detail: detail})
}

// text gives the one value of a parameter; empty where it is not there.
func (q *query) text(name string) string {
	q.asked = append(q.asked, name)
	list := q.values[name]
	if len(list) > 1 {
		q.refuse(name, "is there twice")
	}
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// number gives a whole number from least to most, or otherwise where there is
// none. hint says what to do about one that is out of bounds; it may be empty.
func (q *query) number(name string, least, most, otherwise int, hint string) int {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.refuse(name, fmt.Sprintf("must be a whole number from %d to %d%s", least, most, hint))
		return otherwise
	}
	return n
}

func (q *query) flag(name string) bool {
	switch q.text(name) {
	case "", "false":
		return false
	case "true":
		return true
	}
	q.refuse(name, "must be true or false")
	return false
}

func (q *query) cursor() uuid.UUID {
	text := q.text("cursor")
	if text == "" {
		return uuid.Nil
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		q.refuse("cursor", `is not one that a Link header gave; follow its rel="next"`)
	}
	return id
}

func (q *query) limit() int { return q.number("limit", 1, maxPageSize, pageSize, "") }

// err refuses the call where a parameter is wrong or unknown, naming all that
// are. It comes after all parameters were asked for.
func (q *query) err() error {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if !slices.Contains(q.asked, name) {
			q.refuse(name, q.unknown(name))
		}
	}
	return invalidInput(q.faults...)
}

// unknown says what may have been meant by a parameter that nobody asked for.
func (q *query) unknown(name string) string {
	if len(q.asked) == 0 {
		return "is not known here: this call takes no parameters; what it is told stands in its path and its body"
	}
	if near := meant(name, q.asked); near != "" {
		return "is not known here" + near
	}
	return "is not known here; this call takes " + strings.Join(slices.Compact(slices.Sorted(slices.Values(q.asked))), ", ")
}

// meant asks behind a refusal whether another word was meant; empty: none is near.
func meant(word string, known []string) string {
	if nearest := store.Suggest(word, known); nearest != "" {
		return "; did you mean " + nearest + "?"
	}
	return ""
}

// invalidInput is a 422 that names fields; nil where there are none.
func invalidInput(faults ...web.FieldError) error {
	if len(faults) == 0 {
		return nil
	}
	return &web.Error{Status: http.StatusUnprocessableEntity, Code: string(store.CodeInvalid), Detail: "The input is not valid.", Fields: faults}
}

// linkNext names the next page (RFC 8288): the same call from the cursor on.
func linkNext(c echo.Context, cursor uuid.UUID) {
	values := url.Values{}
	for name, list := range c.QueryParams() {
		if name != "offset" && name != "cursor" {
			values[name] = list
		}
	}
	values.Set("cursor", cursor.String())
	c.Response().Header().Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+values.Encode()+`>; rel="next"`)
}

// noBody refuses a body that says something where nothing is asked for.
func noBody(c echo.Context) error {
	var nothing struct{}
	return optionalBody(c, &nothing)
}

// noParameters refuses parameters where nothing is asked for: what somebody
// means by them would not happen.
func noParameters(c echo.Context) error {
	if c.Request().URL.RawQuery == "" {
		return nil
	}
	return queryOf(c).err()
}

// bodyOf reads the body of a call, in which all stands that the call is told.
func bodyOf(c echo.Context, in any) error {
	if err := noParameters(c); err != nil {
		return err
	}
	return web.DecodeJSON(c, in)
}

// optionalBody is bodyOf for calls that need no body.
func optionalBody(c echo.Context, in any) error {
	if err := noParameters(c); err != nil {
		return err
	}
	return web.DecodeOptionalJSON(c, in)
}

// orNull gives a pointer to v, nil for the zero value, which JSON writes as null.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func timeOrNull(t store.Time) *time.Time { return orNull(t.Time) }

// orZero is what a member says; the zero value where it is null or left out.
func orZero[T any](member *T) T {
	if member == nil {
		var zero T
		return zero
	}
	return *member
}

// headersJSON shows headers as an object. A name that is there several times
// has its values in one, as RFC 9110, section 5.3 allows.
func headersJSON(headers []store.Header) map[string]string {
	object := make(map[string]string, len(headers))
	for _, h := range headers {
		if before, twice := object[h.Name]; twice {
			h.Value = before + ", " + h.Value
		}
		object[h.Name] = asText(h.Value)
	}
	return object
}

// asText makes any bytes fit for JSON; what is not UTF-8 becomes U+FFFD.
func asText[T string | []byte](bytes T) string { return strings.ToValidUTF8(string(bytes), "�") }

// milliseconds writes a duration with three decimals at most.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// byKey says in the log of changes who did it.
func byKey(c echo.Context) string { return "API key " + keyIn(c).Name }
