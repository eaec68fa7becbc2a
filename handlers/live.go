package handlers

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
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

// announced is a page of an account that is told when it is to be read anew.
type announced struct {
	bell func() *store.Listener
	mark func(context.Context) (string, error)
}

// announce tells an open page of the account when the mark of what it shows
// becomes another, after changes that want accepts. It is the same for all who
// may see the page.
func (h *Handlers) announce(c echo.Context, account uuid.UUID, want func(store.Change) bool, mark func(context.Context) (string, error)) error {
	bell := func() *store.Listener {
		return h.store.Changes(func(change store.Change) bool { return concerns(change, account) && want(change) })
	}
	return h.follow(c, account.String()+c.Request().URL.Path, announced{bell, mark})
}

func (a announced) changes() *store.Listener { return a.bell() }

func (a announced) every() time.Duration { return liveEvery }

func (a announced) now(ctx context.Context) (liveState, error) {
	mark, err := a.mark(ctx)
	return liveMark(mark), err
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
	return h.announce(c, account, func(change store.Change) bool {
		return change.ID == id || change.ID == uuid.Nil || change.Kind == store.ChangeWebhook && change.WebhookID == d.WebhookID
	}, func(ctx context.Context) (string, error) {
		now, err := h.store.Delivery(ctx, account, id)
		return factsOf(&now).mark(), err
	})
}
