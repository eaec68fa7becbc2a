package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
)

// limitedBody gives at most limit bytes of the original body and fails with *http.MaxBytesError beyond.
type limitedBody struct {
	io.ReadCloser
	original io.ReadCloser
	declared int64
	limit    int64
}

// Read refuses at once, before a byte is read, when the declared length is over the limit.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.declared > b.limit {
		return 0, &http.MaxBytesError{Limit: b.limit}
	}
	return b.ReadCloser.Read(p)
}

// BodyLimit lets the bodies of a route have up to limit bytes, in place of the server's own limit.
func BodyLimit(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			original := r.Body
			if outer, ok := original.(*limitedBody); ok {
				original = outer.original
			}
			r.Body = &limitedBody{
				ReadCloser: http.MaxBytesReader(c.Response().Writer, original, limit),
				original:   original, declared: r.ContentLength, limit: limit,
			}
			return next(c)
		}
	}
}

// ReadBody returns the whole request body. A body over the limit is an *Error with status 413.
func ReadBody(c echo.Context) ([]byte, error) {
	data, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return nil, bodyError(err)
	}
	return data, nil
}

// Form returns the fields of a posted form. It is an *Error when the content type is another (415), the body is too
// large (413) or malformed (400), or a field holds NUL or invalid UTF-8 (422).
func Form(c echo.Context) (url.Values, error) {
	r := c.Request()
	media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationForm {
		return nil, &Error{
			Status: http.StatusUnsupportedMediaType, Code: "wrong_content_type",
			Detail: "A form is sent as application/x-www-form-urlencoded.", Err: err,
		}
	}
	if err := r.ParseForm(); err != nil {
		return nil, bodyError(err)
	}
	if name, found := unstorableValue(r.PostForm); found {
		return nil, &Error{
			Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: "A field holds characters that are not text.",
			Fields: []FieldError{{Field: strings.ToValidUTF8(name, "�"), Detail: notText}},
		}
	}
	return r.PostForm, nil
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{
			Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Detail: fmt.Sprintf("The body is larger than the %s allowed here.", byteCount(tooLarge.Limit)), Err: err,
		}
	}
	return &Error{Status: http.StatusBadRequest, Code: "malformed", Detail: "The body could not be read to its end.", Err: err}
}

func byteCount(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
