package web

import (
	"bytes"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
)

// maxJSONDepth is how deep objects and arrays may be nested in each other.
const maxJSONDepth = 64

// DecodeJSON reads the request body into the pointer dst, strictly: names match exactly, and unknown, duplicate or
// wrongly typed members are refused, as is NUL or invalid UTF-8 in any string, wherever it stands.
// json.RawMessage members get the bytes as they were sent. A refusal is an *Error: 415 for another content type, 413
// for too large, 400 for malformed with the place, 422 for the rest with the field. dst must not be used then.
func DecodeJSON(c echo.Context, dst any) error {
	if err := requireJSON(c.Request()); err != nil {
		return err
	}
	body, err := ReadBody(c)
	if err != nil {
		return err
	}
	return ParseJSON(body, dst)
}

// DecodeOptionalJSON is DecodeJSON for calls that need no body: an empty one, of any type, leaves dst as it is.
func DecodeOptionalJSON(c echo.Context, dst any) error {
	body, err := ReadBody(c)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	if err := requireJSON(c.Request()); err != nil {
		return err
	}
	return ParseJSON(body, dst)
}

func requireJSON(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	charset := params["charset"]
	if err != nil || media != echo.MIMEApplicationJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &Error{
			Status: http.StatusUnsupportedMediaType, Code: "wrong_content_type",
			Detail: "Send JSON in UTF-8, with the header Content-Type: application/json.", Err: err,
		}
	}
	if e := r.Header.Get(echo.HeaderContentEncoding); e != "" && e != "identity" {
		return &Error{
			Status: http.StatusUnsupportedMediaType, Code: "wrong_content_encoding",
			Detail: "Send the body as it is, without Content-Encoding.",
		}
	}
	return nil
}

// ParseJSON is DecodeJSON for bytes at hand.
func ParseJSON(body []byte, dst any) error {
	// An ordinary body is read once; only a faulty or suspicious one is looked at again to say what is wrong.
	if maxNesting(body) > maxJSONDepth || bytes.Contains(body, []byte(`\u0000`)) {
		if err := inspect(body); err != nil {
			return err
		}
	}
	err := json.Unmarshal(body, dst, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if cause := inspect(body); cause != nil {
		return cause
	}
	return typeError(err)
}

// maxNesting returns how deep brackets are nested outside of strings, in any bytes, JSON or not.
func maxNesting(body []byte) int {
	depth, deepest, inString := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch ch := body[i]; {
		case inString && ch == '\\':
			i++
		case ch == '"':
			inString = !inString
		case inString:
		case ch == '{' || ch == '[':
			depth++
			deepest = max(deepest, depth)
		case ch == '}' || ch == ']':
			depth--
		}
	}
	return deepest
}
