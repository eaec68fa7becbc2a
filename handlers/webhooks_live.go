package handlers

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
)

const (
	webhooksLivePath = views.WebhooksAddress + "/live"
	// webhooksEvery is slower than other lists: each delivery changes a row.
	webhooksEvery = 2 * time.Second
)

// liveWebhooks is the list of webhooks as pages of one kind of person follow it.
type liveWebhooks struct {
	h      *Handlers
	person person
	filter views.WebhooksFilter
}

// webhooksLive streams what changes on the list of webhooks.
func (h *Handlers) webhooksLive(c echo.Context) error {
	filter, _ := webhooksFilter(c.QueryParams())
	l := &liveWebhooks{h, personOf(c), filter}
	return h.follow(c, fmt.Sprint(l.person.Account.ID, l.person.Role.CanEdit(), webhooksLivePath, l.filter.Query()), l)
}

func (l *liveWebhooks) changes() *store.Listener {
	return l.h.store.Changes(func(change store.Change) bool {
		return concerns(change, l.person.Account.ID) && change.Kind != store.ChangeEvent
	})
}

func (l *liveWebhooks) every() time.Duration { return webhooksEvery }

func (l *liveWebhooks) now(ctx context.Context) (liveState, error) {
	list, err := l.h.store.Overviews(ctx, l.person.Account.ID)
	return liveWebhookRows(webhooksOf(l.person, l.filter, list)), err
}

func liveWebhookRows(page views.WebhooksPage) liveRows {
	rows := make(liveRows, len(page.Rows))
	for i, o := range page.Rows {
		sum := fnv.New64a()
		fmt.Fprint(sum, o.URL, o.Description, o.AgentID, o.Events, o.Active, o.Health, o.Hours, o.LastAttemptAt.UnixMicro(), o.Summary.Total() > 0) // never fails
		rows[i] = livePart{id: views.WebhookRowID(o), mark: sum.Sum64(), line: func(bool) templ.Component { return views.WebhookRow(page, o) }}
	}
	return rows
}

// count is what stands above the rows: the numbers of the account, and how many
// webhooks are in which state.
func (l *liveWebhooks) count(ctx context.Context) (templ.Component, error) {
	list, err := l.h.store.Overviews(ctx, l.person.Account.ID)
	if err != nil {
		return nil, err
	}
	page := webhooksOf(l.person, l.filter, list)
	page.Strip, err = l.h.store.Strip(ctx, l.person.Account.ID, list)
	return views.LiveWebhooks(page), err
}
