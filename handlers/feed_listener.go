package handlers

import (
	"context"
	"slices"

	"github.com/labstack/echo/v4"

	"belfry/web"
)

// follow streams what changes on what is followed; the key names it, with all
// that makes it look different for others. The address and, after a break, the
// browser say by a mark what the page shows already.
func (h *Handlers) follow(c echo.Context, key string, of followed) error {
	user, _ := web.SessionOf(c).UserID()
	if err := h.audience.enter(user); err != nil {
		return err
	}
	defer h.audience.leave(user)
	seen := c.QueryParam("seen")
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		seen = last
	}
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		f := h.feeds.join(key, of)
		defer h.feeds.leave(key, f)
		l := &listener{feed: f, seen: seen, next: -1}
		return l.serve(ctx, h.watchSession(c), send)
	})
}

// listener is one page that follows a feed.
type listener struct {
	feed *feed
	seen string // the mark of what the page shows
	next int    // number of the next frame; -1: it has got none yet
}

// await gives what the page has to be told next.
func (l *listener) await(ctx context.Context) ([]web.Message, error) {
	for {
		frames, more, err := l.take(ctx)
		if err != nil || len(frames) > 0 {
			return frames, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-more:
		}
	}
}

// take gives the frames that the page has not got, or all as it is now where it
// lacks too many, or else what to wait for.
func (l *listener) take(ctx context.Context) ([]web.Message, <-chan struct{}, error) {
	f := l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	end := f.first + len(f.frames)
	switch {
	case f.err != nil:
		return nil, nil, f.err
	case f.state == nil, l.next == end:
		return nil, f.more, nil
	case l.next >= f.first:
		frames := slices.Clone(f.frames[l.next-f.first:])
		l.next = end
		return frames, nil, nil
	}
	l.next = end
	mark := f.state.mark()
	if mark == l.seen {
		return nil, f.more, nil
	}
	f.late = true
	message, err := f.state.since(nil).message(ctx, mark, f.counted)
	return []web.Message{message}, nil, err
}

// serve sends the page what happens, until ctx or its session ends.
func (l *listener) serve(ctx context.Context, session *sessionWatch, send web.Send) error {
	for {
		frames, err := l.await(ctx)
		if err != nil {
			return err
		}
		if ended, err := session.ended(ctx); ended || err != nil {
			return err
		}
		for _, frame := range frames {
			if err := send(frame); err != nil {
				return err
			}
		}
	}
}
