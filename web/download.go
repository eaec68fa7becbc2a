package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// downloadBuffer is how much of a download is gathered before it goes out.
	downloadBuffer = 64 << 10
	// downloadWriteTimeout is how long nothing of it may be taken.
	downloadWriteTimeout = time.Minute
)

// Download answers with a file that write makes as it goes, of any size. The context of write ends when whoever takes it
// leaves, takes nothing for a minute, or the server shuts down; write must return then. What it returns after the visitor
// left is no error. What write flushes goes out at once. An error before anything went out is answered as such; a later
// one cuts the connection, so that nobody takes half a file for a whole one.
func Download(c echo.Context, name, contentType string, write func(ctx context.Context, w *bufio.Writer) error) error {
	s, ok := c.Get(serverKey).(*Server)
	if !ok {
		return errors.New("download: the request did not come through a Server")
	}
	if err := s.beginLasting(c); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, contentType)
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if c.Request().Context().Value(headKey{}) != nil {
		return c.NoContent(http.StatusOK)
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	out := &patientWriter{w: c.Response(), rc: http.NewResponseController(c.Response())}
	err := out.send(ctx, write)
	if c.Request().Context().Err() != nil || out.gone {
		return nil
	}
	if err != nil && !c.Response().Committed {
		h.Del(echo.HeaderContentDisposition) // the error is no file
	}
	return err
}

// patientWriter writes for as long as something is taken: the time limit of ordinary answers would cut it.
type patientWriter struct {
	w    io.Writer
	rc   *http.ResponseController
	gone bool // nobody takes it any more
}

func (p *patientWriter) send(ctx context.Context, write func(ctx context.Context, w *bufio.Writer) error) error {
	// The time limit of reading would end the request.
	if err := p.rc.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	buffer := bufio.NewWriterSize(p, downloadBuffer)
	if err := write(ctx, buffer); err != nil {
		return err
	}
	return buffer.Flush()
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(time.Now().Add(downloadWriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := p.w.Write(b)
	if err == nil {
		if err = p.rc.Flush(); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	p.gone = p.gone || err != nil
	return n, err
}
