package handlers

import (
	"context"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
)

// liveDeliveries is the first page of the log as pages follow it.
type liveDeliveries struct {
	h       *Handlers
	account uuid.UUID
	filter  logFilter
}

// logsLive streams what changes on the first page of the log.
func (h *Handlers) logsLive(c echo.Context) error {
	l := &liveDeliveries{h, personOf(c).Account.ID, readLogFilter(c)}
	l.filter.Before, l.filter.After = uuid.Nil, uuid.Nil
	if _, err := l.filter.filter(h.opt.Now()); err != nil {
		return err
	}
	return h.follow(c, l.account.String()+l.filter.address(livePath), l)
}

func (l *liveDeliveries) changes() *store.Listener {
	webhook, _ := uuid.Parse(l.filter.Webhook) // empty: any
	return l.h.store.Changes(func(change store.Change) bool {
		return concerns(change, l.account) && (change.Kind != store.ChangeDelivery || webhook == uuid.Nil || change.WebhookID == webhook)
	})
}

func (l *liveDeliveries) every() time.Duration { return liveEvery }

func (l *liveDeliveries) now(ctx context.Context) (liveState, error) {
	ask, err := l.filter.filter(l.h.opt.Now())
	if err != nil {
		return nil, err
	}
	list, _, err := l.h.store.Deliveries(ctx, l.account, ask)
	return liveDeliveryRows(list, l.filter.query().Encode(), true), err
}

func liveDeliveryRows(list []store.Delivery, within string, withWebhook bool) liveRows {
	rows := make(liveRows, len(list))
	for i := range list {
		line := deliveryLine(&list[i])
		line.Within = within
		rows[i] = livePart{id: line.RowID(), mark: factsOf(&list[i]).sum(), line: func(fresh bool) templ.Component {
			line.Fresh = fresh
			return views.DeliveryRow(line, withWebhook)
		}}
	}
	return rows
}

func (l *liveDeliveries) count(ctx context.Context) (templ.Component, error) {
	ask, err := l.filter.filter(l.h.opt.Now())
	if err != nil {
		return nil, err
	}
	v := l.filter.view()
	err = l.h.countLog(ctx, l.account, ask, &l.filter, &v)
	if err != nil {
		return nil, err
	}
	runs, err := l.h.store.ResendRuns(ctx, l.account, 1)
	above := views.LiveCount(views.LogCount(v))
	if err == nil && len(runs) > 0 && !l.h.passed(&runs[0]) {
		above = templ.Join(above, views.LiveRun(runPath(runs[0].ID), runs[0].State))
	}
	return above, err
}
