package handlers

import (
	"cmp"
	"slices"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// firstStepsKey is where the session keeps that the first steps are over.
const firstStepsKey = "first_steps_over"

// firstSteps says how far somebody has come who added a webhook and has sent it
// no event yet. It is nil once one was sent, and for who ended the steps.
func (h *Handlers) firstSteps(c echo.Context, list []store.Overview) (*views.FirstStepsView, error) {
	p, over := personOf(c), false
	web.SessionOf(c).Get(firstStepsKey, &over)
	used := slices.ContainsFunc(list, func(o store.Overview) bool { return o.Summary.Total() > 0 })
	if over || used || len(list) == 0 || !p.Role.CanEdit() {
		return nil, nil
	}
	first := slices.MinFunc(list, func(a, b store.Overview) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	v := &views.FirstStepsView{Webhook: views.WebhookName(first.Webhook), TestHref: testAddress(first.ID)}
	test, ok, err := h.lastTest(c)
	v.Inbox = ok && test.URL == store.InboxURL && test.Status == store.Delivered
	switch {
	case !ok:
	case test.Status == store.Delivered:
		v.Answer = deliveryLine(&test).Answer + " in " + views.Duration(test.LastDuration)
	case test.Status.Finished():
		v.Answer = deliveryLine(&test).Answer
	default:
		v.Answer = "on its way"
	}
	return v, err
}

// lastTest is the newest test of the account, if there is one.
func (h *Handlers) lastTest(c echo.Context) (d store.Delivery, ok bool, err error) {
	list, _, err := h.store.Deliveries(c.Request().Context(), personOf(c).Account.ID, store.DeliveryFilter{Tests: true, Limit: 1})
	if err != nil || len(list) == 0 {
		return d, false, err
	}
	return list[0], true, nil
}

// endFirstSteps takes the first steps away.
func (h *Handlers) endFirstSteps(c echo.Context) error {
	if err := web.SessionOf(c).Set(firstStepsKey, true); err != nil {
		return err
	}
	return web.Redirect(c, homePath)
}

// seeFirstTest is the last step: it leads to where the newest test is to be
// seen, its delivery or the test inbox, and that was all of them.
func (h *Handlers) seeFirstTest(c echo.Context) error {
	test, ok, err := h.lastTest(c)
	if err != nil {
		return err
	}
	if !ok {
		return web.Redirect(c, trialPath)
	}
	if err := web.SessionOf(c).Set(firstStepsKey, true); err != nil {
		return err
	}
	if test.URL == store.InboxURL && test.Status == store.Delivered {
		return web.Redirect(c, views.InboxAddress(test.ID.String()))
	}
	return web.Redirect(c, deliveryPath(test.ID))
}
