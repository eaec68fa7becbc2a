package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// compressFrom is the size in bytes below which a page goes as it is: what would be spared is not worth the work.
const compressFrom = 1400

// writersKey is where a request finds the server's gzip writers.
const writersKey = "web.gzip"

// lendWriters lets Render compress: a writer costs far more to make than to use again.
func lendWriters() echo.MiddlewareFunc {
	writers := &sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set(writersKey, writers)
			return next(c)
		}
	}
}

// AcceptsGzip says whether who asks can read gzip (RFC 9110, 12.5.3).
func AcceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values(echo.HeaderAcceptEncoding), ","), ",") {
		name, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(part, " ", "")), ";")
		if name == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(weight, "q="), 64)
			return weight == "" || err == nil && q > 0
		}
	}
	return false
}

// compressed gives the page as it goes over the wire, and says so in the headers. What a page reflects of its address
// stands beside nothing that a stranger could want to guess from the length: form tokens are new each time.
func compressed(c echo.Context, page []byte) []byte {
	h := c.Response().Header()
	h.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
	writers, ok := c.Get(writersKey).(*sync.Pool)
	if !ok || len(page) < compressFrom || !AcceptsGzip(c.Request()) {
		return page
	}
	var out bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	_, err := w.Write(page)
	if err != nil || w.Close() != nil {
		return page // a buffer takes everything: this is never so
	}
	h.Set(echo.HeaderContentEncoding, "gzip")
	return out.Bytes()
}
