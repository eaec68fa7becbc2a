package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"belfry/store/uuid"
)

// inspect returns what is wrong with the body as JSON, nil if nothing is: first whether it is JSON at all (400), then
// what may not be in it (422).
func inspect(body []byte) error {
	lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	if err := walk(body, lenient, refuseDepth); err != nil {
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) {
			return malformed(body, syntax)
		}
		return err
	}
	err := walk(body, nil, refuseNUL)
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return invalid(fieldPath(syntax.JSONPointer), textFault(syntax), err)
	}
	return err
}

// walk goes through the one JSON value that body should be, calling visit after each token.
func walk(body []byte, opts []jsontext.Options, visit func(*jsontext.Decoder, jsontext.Token) error) error {
	dec := jsontext.NewDecoder(bytes.NewReader(body), opts...)
	for started := false; ; started = true {
		if started && dec.StackDepth() == 0 {
			return trailing(dec)
		}
		token, err := dec.ReadToken()
		if err == io.EOF {
			return &jsontext.SyntacticError{ByteOffset: int64(len(body)), Err: io.ErrUnexpectedEOF}
		}
		if err != nil {
			return err
		}
		if err := visit(dec, token); err != nil {
			return err
		}
	}
}

func trailing(dec *jsontext.Decoder) error {
	end := dec.InputOffset()
	_, err := dec.ReadToken()
	var syntax *jsontext.SyntacticError
	switch {
	case err == io.EOF:
		return nil
	case errors.As(err, &syntax):
		return err
	}
	return &jsontext.SyntacticError{ByteOffset: end, Err: errors.New("more data after the end of the JSON value")}
}

func refuseDepth(dec *jsontext.Decoder, _ jsontext.Token) error {
	if dec.StackDepth() <= maxJSONDepth {
		return nil
	}
	path := fieldPath(dec.StackPointer())
	return invalid(path, fmt.Sprintf("is nested deeper than %d levels", maxJSONDepth), nil)
}

func refuseNUL(dec *jsontext.Decoder, token jsontext.Token) error {
	if token.Kind() == '"' && strings.IndexByte(token.String(), 0) >= 0 {
		return invalid(fieldPath(dec.StackPointer()), `holds a NUL character (\u0000), which cannot be stored`, nil)
	}
	return nil
}

func textFault(e *jsontext.SyntacticError) string {
	if errors.Is(e, jsontext.ErrDuplicateName) {
		return "is there twice"
	}
	return "holds text that is not valid UTF-8 or half of a surrogate pair"
}

func malformed(body []byte, e *jsontext.SyntacticError) error {
	offset := min(max(int(e.ByteOffset), 0), len(body))
	reason := e.Err.Error()
	if len(bytes.TrimSpace(body)) == 0 {
		reason = "it is empty"
	} else if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		reason = "it ends too early"
	}
	line := bytes.Count(body[:offset], []byte("\n")) + 1
	column := utf8.RuneCount(body[bytes.LastIndexByte(body[:offset], '\n')+1:offset]) + 1
	return &Error{
		Status: http.StatusBadRequest, Code: "malformed",
		Detail: fmt.Sprintf("The body is not JSON: line %d, column %d: %s.", line, column, strings.ToValidUTF8(reason, "�")),
		Err:    e,
	}
}

func invalid(field, detail string, cause error) *Error {
	whole := "The body " + detail + "."
	if field != "" {
		whole = "The field " + field + " " + detail + "."
	}
	return &Error{
		Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: whole,
		Fields: []FieldError{{Field: field, Detail: detail}}, Err: cause,
	}
}

// typeError turns a value of the wrong type, or an unknown member, into a refusal. Other errors are ours and stay.
func typeError(err error) error {
	var told *Error
	if errors.As(err, &told) {
		return told
	}
	var e *json.SemanticError
	if !errors.As(err, &e) {
		return err
	}
	field := fieldPath(e.JSONPointer)
	switch {
	case errors.Is(e.Err, json.ErrUnknownName):
		return invalid(field, "is not known here", err)
	case errors.Is(e.Err, strconv.ErrRange):
		return invalid(field, "is out of range", err)
	}
	detail := "must be " + wanted(e.GoType)
	if got := kindName(e.JSONKind); got != "" && !misspelt(e) && !strings.HasPrefix(wanted(e.GoType), got) {
		detail += ", not " + got
	}
	return invalid(field, detail, err)
}

// misspelt says whether the value is a string, as a time or an id has to be, and
// only its text is none.
func misspelt(e *json.SemanticError) bool {
	return e.JSONKind == '"' && strings.Contains(wanted(e.GoType), " such as ")
}

func wanted(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case nil:
		return "of another kind"
	case reflect.TypeFor[time.Time]():
		return "a time such as 2024-01-15T10:30:00Z"
	case reflect.TypeFor[uuid.UUID]():
		return "an id such as 01890a5d-ac96-774b-bcce-b302099a8057"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	if t.ConvertibleTo(reflect.TypeFor[int64]()) {
		return "a whole number"
	}
	return "of another kind"
}

func kindName(k jsontext.Kind) string {
	return map[jsontext.Kind]string{
		'n': "null", 't': "true", 'f': "false", '"': "a string", '0': "a number", '{': "an object", '[': "an array",
	}[k]
}

// fieldPath writes a JSON pointer as people do: [3].data.call_id. A name made of digits looks like an index.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return strings.ToValidUTF8(b.String(), "�")
}
