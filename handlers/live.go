package handlers

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

const (
	// liveEvery is the shortest time between two changes of a live page;
	// liveShare how many times longer than its question a pause is at least, so
	// that dear filters don't load the database.
	liveEvery = 200 * time.Millisecond
	liveShare = 4
	// countEvery and countShare say the same of the count above the rows.
	countEvery = 5 * time.Second
	countShare = 20
	// manyRows changed at once are sent as a whole page.
	manyRows = 20
)

// followList streams what changes on the first page of a list; the key names the
// list, and seen is the mark of what the page shows already.
func (h *Handlers) followList(c echo.Context, key string, list liveList) error {
	seen := c.QueryParam("seen")
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		seen = last
	}
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		f := h.feeds.join(key, list)
		defer h.feeds.leave(key, f)
		l := &listener{feed: f, seen: seen, next: -1}
		return l.serve(ctx, h.watchSession(c), send)
	})
}

// sessionEvery is how old what is known of a visitor's session may be where
// nothing says that it ended.
const sessionEvery = 2 * time.Second

// sessionWatch knows whether a visitor's session is over, without asking each
// time: at once where this process ended one, and soon where another did.
type sessionWatch struct {
	h      *Handlers
	of     *web.Session
	ends   int64
	looked time.Time
}

func (h *Handlers) watchSession(c echo.Context) *sessionWatch {
	return &sessionWatch{h: h, of: web.SessionOf(c), ends: -1}
}

// ended says that it is over. A database that does not answer says nothing.
func (w *sessionWatch) ended(ctx context.Context) (bool, error) {
	ends := w.h.store.SessionsEnded()
	if ends == w.ends && time.Since(w.looked) < sessionEvery {
		return false, nil
	}
	ended, err := w.of.Ended(ctx)
	if store.IsCode(err, store.CodeUnavailable) {
		return false, nil
	}
	if err == nil {
		w.ends, w.looked = ends, time.Now()
	}
	return ended, err
}

// concerns says whether a change may be of the account.
func concerns(change store.Change, account uuid.UUID) bool {
	return change.AccountID == account || change.AccountID == uuid.Nil
}

// errSessionOver ends what a visitor follows.
var errSessionOver = errors.New("the session is over")

// follow streams what look finds to tell, now and after the changes that want
// accepts, in a calm rhythm, until the visitor leaves or their session ends. nil
// is nothing to tell.
func (h *Handlers) follow(c echo.Context, want func(store.Change) bool, look func(context.Context) (web.Message, error)) error {
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		bell, session := h.store.Changes(want), h.watchSession(c)
		defer bell.Close()
		err := calmly(ctx, bell, liveEvery, liveShare, func() error {
			ended, err := session.ended(ctx)
			if err != nil {
				return err
			}
			if ended {
				return errSessionOver
			}
			news, err := h.looks.next(ctx, look)
			if err != nil || news == nil {
				return err
			}
			return send(news)
		})
		if errors.Is(err, errSessionOver) {
			return nil
		}
		return err
	})
}

// announce tells an open page when it is to be read anew: when the mark of what
// it shows is another than the one in the address, at once where it is already.
func (h *Handlers) announce(c echo.Context, want func(store.Change) bool, mark func(context.Context) (string, error)) error {
	seen := c.QueryParam("seen")
	return h.follow(c, want, func(ctx context.Context) (web.Message, error) {
		now, err := mark(ctx)
		if err != nil || now == seen {
			return nil, err
		}
		seen = now
		return web.NewMessage("changed", "", nil)
	})
}

// looks lets those who follow pages of their own look one after the other, each
// time with a rest of looksShare times what the last look took: however many they
// are, they take less than a twentieth of one processor from deliveries.
type looks chan struct{}

const (
	looksShare = 20
	// longestRest is for a look that a slow database held up.
	longestRest = 100 * time.Millisecond
)

func newLooks() looks { return make(looks, 1) }

// next waits for its turn; ctx ends that with its error.
func (l looks) next(ctx context.Context, look func(context.Context) (web.Message, error)) (web.Message, error) {
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	began := time.Now()
	defer func() {
		time.AfterFunc(min(longestRest, looksShare*time.Since(began)), func() { <-l })
	}()
	return look(ctx)
}

// calmly calls show now and after changes, but not without a rest: at least
// every, and share times longer than it took. It ends with ctx. A database that
// does not answer is asked again.
func calmly(ctx context.Context, bell *store.Listener, every, share time.Duration, show func() error) error {
	for {
		began := time.Now()
		err := show()
		pause := max(every, share*time.Since(began))
		if store.IsCode(err, store.CodeUnavailable) {
			err, pause = nil, 2*time.Second
		}
		if err != nil {
			return err
		}
		if !sleep(ctx, pause) || !heard(ctx, bell) {
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// heard waits for a change and takes all that have gathered; false: it is over.
func heard(ctx context.Context, bell *store.Listener) bool {
	select {
	case <-ctx.Done():
		return false
	case _, open := <-bell.C:
		if !open {
			return false
		}
	case <-bell.Lost:
	}
	for {
		select {
		case _, open := <-bell.C:
			if !open {
				return false
			}
		case <-bell.Lost:
		default:
			return true
		}
	}
}

// rowFacts is what makes a row look different, but for the time that passes.
type rowFacts struct {
	status        store.Status
	held          string
	attempts, max int
	next          int64
	code          int
	kind          string
	deleted       bool
}

func factsOf(d *store.Delivery) rowFacts {
	return rowFacts{d.Status, d.Held, d.Attempts, d.MaxAttempts, d.NextAttemptAt.UnixMicro(), d.LastStatusCode, d.LastError, d.WebhookDeleted}
}

func (f rowFacts) sum() uint64 {
	sum := fnv.New64a()
	fmt.Fprint(sum, f)
	return sum.Sum64()
}

// mark is a short word for the facts, for an address.
func (f rowFacts) mark() string { return strconv.FormatUint(f.sum(), 36) }

// deliveryLiveURL is where the page of a delivery hears of changes since d.
func deliveryLiveURL(d *store.Delivery) string {
	return withQuery(deliveryPath(d.ID)+"/live", url.Values{"seen": {factsOf(d).mark()}})
}

// deliveryLive tells an open page of a delivery that it has changed.
func (h *Handlers) deliveryLive(c echo.Context) error {
	account := personOf(c).Account.ID
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	d, err := h.store.Delivery(c.Request().Context(), account, id)
	if err != nil {
		return err
	}
	return h.announce(c, func(change store.Change) bool {
		return concerns(change, account) && (change.ID == id || change.ID == uuid.Nil || change.Kind == store.ChangeWebhook && change.WebhookID == d.WebhookID)
	}, func(ctx context.Context) (string, error) {
		now, err := h.store.Delivery(ctx, account, id)
		return factsOf(&now).mark(), err
	})
}
