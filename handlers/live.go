package handlers

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

const (
	// liveEvery is the shortest time between two changes of a live page;
	// liveShare how many times longer than its question a pause is at least, so
	// that dear filters don't load the database.
	liveEvery = 400 * time.Millisecond
	liveShare = 4
	// countEvery and countShare say the same of the count above the rows.
	countEvery = 5 * time.Second
	countShare = 20
	// manyRows changed at once are sent as a whole page.
	manyRows = 20
)

// logsLive streams what changes on the first page of the log.
func (h *Handlers) logsLive(c echo.Context) error {
	account, f := personOf(c).Account.ID, readLogFilter(c)
	f.Before, f.After = uuid.Nil, uuid.Nil
	ask, err := f.filter(h.opt.Now())
	if err != nil {
		return err
	}
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		bell := h.store.Changes(func(change store.Change) bool {
			return concerns(change, account) && (change.Kind != store.ChangeDelivery || ask.WebhookID == uuid.Nil || ask.WebhookID == change.WebhookID)
		})
		defer bell.Close()
		var shown shownRows
		count := liveCount{h: h, account: account, filter: f, ask: ask, next: time.Now().Add(countEvery)}
		return h.follow(ctx, c, bell, func() error {
			list, _, err := h.store.Deliveries(ctx, account, ask)
			if err != nil {
				return err
			}
			if err := sendRows(ctx, send, shown.update(list)); err != nil {
				return err
			}
			return count.send(ctx, send)
		})
	})
}

// concerns says whether a change may be of the account.
func concerns(change store.Change, account uuid.UUID) bool {
	return change.AccountID == account || change.AccountID == uuid.Nil
}

// follow calls show now and after changes, in a calm rhythm, until ctx or the
// visitor's session ends. A database that does not answer is asked again.
func (h *Handlers) follow(ctx context.Context, c echo.Context, bell *store.Listener, show func() error) error {
	for {
		began := time.Now()
		ended, err := web.SessionOf(c).Ended(ctx)
		if ended {
			return nil
		}
		if err == nil {
			err = show()
		}
		pause := max(liveEvery, liveShare*time.Since(began))
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

// mark is a short word for the facts, for an address.
func (f rowFacts) mark() string {
	sum := fnv.New64a()
	fmt.Fprint(sum, f)
	return strconv.FormatUint(sum.Sum64(), 36)
}

// shownRows is what a listener's page shows.
type shownRows struct {
	began bool
	facts map[uuid.UUID]rowFacts
}

// update tells what must change so that the page shows the list.
func (s *shownRows) update(list []store.Delivery) views.RowChanges {
	var changes views.RowChanges
	before, first := s.facts, !s.began
	s.began, s.facts = true, make(map[uuid.UUID]rowFacts, len(list))
	lines, whole, old := make([]views.DeliveryLine, len(list)), first, false
	for i := range list {
		d := &list[i]
		lines[i], s.facts[d.ID] = deliveryLine(d), factsOf(d)
		known, there := before[d.ID]
		switch {
		case !there:
			lines[i].Fresh = !first
			changes.New = append(changes.New, lines[i])
			whole = whole || old // it belongs in the middle
		case known != s.facts[d.ID]:
			changes.Changed = append(changes.Changed, lines[i])
		}
		old = old || there
	}
	for id := range before {
		if _, still := s.facts[id]; !still {
			changes.Gone = append(changes.Gone, id.String())
		}
	}
	if whole || len(changes.New)+len(changes.Changed) > manyRows {
		return views.RowChanges{All: lines}
	}
	return changes
}

// sendRows sends the changes; a page that showed nothing until now is told that
// there are rows.
func sendRows(ctx context.Context, send web.Send, changes views.RowChanges) error {
	if changes.Empty() {
		return nil
	}
	var frame bytes.Buffer
	if err := views.LiveRows(changes).Render(ctx, &frame); err != nil {
		return err
	}
	if len(changes.All)+len(changes.New) > 0 {
		if err := send("rows", "", nil); err != nil {
			return err
		}
	}
	return send("", "", frame.Bytes())
}

// liveCount keeps the count above the rows up to date, more rarely than them.
type liveCount struct {
	h       *Handlers
	account uuid.UUID
	filter  logFilter
	ask     store.DeliveryFilter
	next    time.Time
}

func (l *liveCount) send(ctx context.Context, send web.Send) error {
	began := time.Now()
	if began.Before(l.next) {
		return nil
	}
	v := l.filter.view()
	if err := l.h.countLog(ctx, l.account, l.ask, l.filter, &v); err != nil {
		return err
	}
	l.next = time.Now().Add(max(countEvery, countShare*time.Since(began)))
	var frame bytes.Buffer
	if err := views.LiveCount(v).Render(ctx, &frame); err != nil {
		return err
	}
	return send("", "", frame.Bytes())
}

// deliveryLiveURL is where the page of a delivery hears of changes since d.
func deliveryLiveURL(d *store.Delivery) string {
	return withQuery(deliveryPath(d.ID)+"/live", url.Values{"seen": {factsOf(d).mark()}})
}

// deliveryLive tells a delivery's page when it is to be read anew: at once
// where the delivery has changed since the page was made.
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
	return web.Stream(c, func(ctx context.Context, send web.Send) error {
		bell := h.store.Changes(func(change store.Change) bool {
			return concerns(change, account) && (change.ID == id || change.ID == uuid.Nil || change.Kind == store.ChangeWebhook && change.WebhookID == d.WebhookID)
		})
		defer bell.Close()
		seen := c.QueryParam("seen")
		return h.follow(ctx, c, bell, func() error {
			now, err := h.store.Delivery(ctx, account, id)
			if err != nil || factsOf(&now).mark() == seen {
				return err
			}
			seen = factsOf(&now).mark()
			return send("changed", "", nil)
		})
	})
}
