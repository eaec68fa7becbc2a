package handlers

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// deliveryStory is a delivery with all that its page is made from.
type deliveryStory struct {
	*store.Delivery
	attempts []store.Attempt
	webhook  *store.Overview // nil: a test to a free URL
	probe    store.Probe     // of its webhook, where that is probed and was so before the delivery ended
	// probings are those of its webhook while it was under way, oldest first; those
	// that are over only where an attempt came late.
	probings []probing
	limits   store.Limits
	now      time.Time
}

func (h *Handlers) deliveryStory(ctx context.Context, account store.Account, id uuid.UUID) (*deliveryStory, error) {
	d, err := h.store.Delivery(ctx, account.ID, id)
	if err != nil {
		return nil, err
	}
	s := &deliveryStory{Delivery: &d, limits: account.Limits, now: h.opt.Now()}
	if s.attempts, err = h.store.Attempts(ctx, account.ID, id); err != nil {
		return nil, err
	}
	if d.WebhookID == uuid.Nil {
		return s, nil
	}
	o, err := h.store.Overview(ctx, account.ID, d.WebhookID)
	if store.IsCode(err, store.CodeNotFound) {
		return s, nil // retention removed it
	}
	if err != nil {
		return nil, err
	}
	if s.webhook = &o; !s.Test {
		s.probe, err = h.store.NextProbe(ctx, account.ID, d.WebhookID)
	}
	if s.Status.Finished() && !s.LastAttemptAt.After(s.probe.Since.Time) {
		s.probe = store.Probe{}
	}
	if err == nil && s.anyLate() {
		s.probings, err = h.pastProbings(ctx, &d)
	}
	if since := s.probe.Since; !since.IsZero() {
		s.probings = append(s.probings, probing{since: since.Time})
	}
	return s, err
}

func deliveryPath(id uuid.UUID) string { return "/setup/webhooks/deliveries/" + id.String() }

// deliveryPage shows one delivery: where it stands and why, and what each of
// its attempts sent and got.
func (h *Handlers) deliveryPage(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	p := personOf(c)
	s, err := h.deliveryStory(c.Request().Context(), p.Account, id)
	if err != nil {
		return err
	}
	place := readDeliveryPlace(c, id)
	v := views.DeliveryView{
		ID: id.String(), Event: s.EventType, Test: s.Test, State: views.DeliveryState(s.Status.String(), s.Held), URL: s.URL, Agent: s.AgentID,
		EventHref: eventPath(s.EventID), Unlisted: s.Attempts - len(s.attempts), Why: s.why(), Steps: s.steps(s.now), Limit: views.Duration(s.limits.Timeout), Next: s.next(),
		LiveURL: deliveryLiveURL(s.Delivery), LogHref: place.logHref(), Filtered: place.list.set(),
		Resend: s.resend(p.Role, place, c.QueryParam("confirm") == "resend"),
	}
	if s.WebhookID != uuid.Nil {
		v.WebhookHref = views.WebhookAddress(s.WebhookID)
	}
	if v.Newer, v.Older, err = h.neighbours(c.Request().Context(), p.Account.ID, place, s.now); err != nil {
		return err
	}
	s.showAttempts(&v, place, p.Role)
	if len(s.attempts) == 0 {
		if v.Data, err = h.carried(c.Request().Context(), p.Account.ID, s.EventID); err != nil {
			return err
		}
		v.AllHref = place.whole()
	}
	return web.Render(c, http.StatusOK, views.Delivery(h.frame(c, views.EntryLogs), v))
}

// carried is an event's data; empty where retention removed it.
func (h *Handlers) carried(ctx context.Context, account, event uuid.UUID) (string, error) {
	e, err := h.store.Event(ctx, account, event)
	if store.IsCode(err, store.CodeNotFound) {
		return "", nil
	}
	return string(e.Data), err
}

// showAttempts adds the attempts to the page, what the chosen one sent and got,
// and what differs from the one beside it.
func (s *deliveryStory) showAttempts(v *views.DeliveryView, place deliveryPlace, role store.Role) {
	chosen := s.chosen(place.attempt)
	for i := range s.attempts {
		v.Attempts = append(v.Attempts, s.attemptView(&s.attempts[i], place, i == chosen))
	}
	if chosen < 0 {
		v.PageURL = place.of(0).address()
		return
	}
	if place.attempt != 0 {
		place.attempt = s.attempts[chosen].Number
	}
	v.PageURL = place.address()
	a := &s.attempts[chosen]
	v.Exchange, v.Curl = s.exchange(a), curlOf(a)
	v.Exchange.AllHref = place.whole()
	if views.LongBody(string(a.RequestBody)) {
		v.CurlHref = place.whole()
	}
	v.Exchange.Bodies = bodyChoices(place.bodies(false).address(), place.bodies(true).address(), place.raw)
	if place.raw {
		v.Exchange.Raw = true
		if role.CanEdit() {
			v.Exchange.RequestBody = string(a.RequestBody)
		}
	}
	v.Beside = s.besideChoices(place, chosen)
	if other := s.numbered(place.with); other >= 0 && other != chosen {
		v.Difference = differenceOf(&s.attempts[min(other, chosen)], &s.attempts[max(other, chosen)])
	}
}

// chosen finds the attempt asked for; without one, or where there is no such
// attempt, it is the last. -1: there is none.
func (s *deliveryStory) chosen(number int) int {
	if i := s.numbered(number); i >= 0 {
		return i
	}
	return len(s.attempts) - 1
}

// numbered finds an attempt among those that are listed; -1: it is not there.
func (s *deliveryStory) numbered(number int) int {
	return slices.IndexFunc(s.attempts, func(a store.Attempt) bool { return a.Number == number })
}

// resend says what the button does, or why it does nothing.
func (s *deliveryStory) resend(role store.Role, place deliveryPlace, open bool) views.ResendView {
	r := views.ResendView{Action: place.resend(), AskHref: place.ask()}
	switch {
	case !role.CanEdit():
		r.Disabled = "Your role is " + string(role) + ", which reads only."
	case s.Test:
		r.Disabled = "A test is not sent again. Send a new test."
	case s.WebhookDeleted:
		r.Disabled = "Its webhook was deleted, so there is nowhere to send it."
	case s.Status == store.Processing:
		r.Disabled = "An attempt is under way. Wait for its outcome."
	case s.Held == store.HeldInactive:
		r.Now, r.Disabled = true, "Its webhook is inactive. Reactivate it, and this goes by itself."
	case s.Status == store.Pending:
		r.Now, r.Token = true, store.NewFormToken()
	default:
		r.Token, r.Ask, r.Open = store.NewFormToken(), s.Status == store.Delivered, open
		r.Primary = !r.Ask
		r.Text = "The endpoint answered " + strconv.Itoa(s.LastStatusCode) + " already. It gets the same data under the same webhook-id, so a receiver that keeps ids drops the repeat; one that does not handles the event twice. The delivery gets " + s.moreAttempts() + "."
	}
	return r
}

// resendDelivery sends a delivery again, once however often the form is sent.
func (h *Handlers) resendDelivery(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		before, err := h.store.Delivery(ctx, personOf(c).Account.ID, id)
		if err != nil {
			return "", err
		}
		d, err := h.store.Resend(ctx, personOf(c).Account.ID, id)
		if err != nil {
			return "", err
		}
		addToast(c, resentToast(before.Status == store.Pending, d))
		return readDeliveryPlace(c, id).of(0).address(), nil
	}, nil)
}

// resentToast says what became of a delivery that was sent again, or, where it
// was waiting, sent now.
func resentToast(waited bool, d store.Delivery) views.ToastView {
	done, next := "Resent", "The next attempt is number "+strconv.Itoa(d.Attempts+1)+"."
	if waited {
		done, next = "Due now", "Attempt "+strconv.Itoa(d.Attempts+1)+" goes out at once."
	}
	switch d.Held {
	case "":
		return views.ToastView{Text: done + ". " + next}
	case store.HeldInactive:
		return views.ToastView{Tone: "warn", Text: done + ", and held: its webhook is inactive. It goes when the webhook is reactivated."}
	}
	return views.ToastView{Tone: "warn", Text: done + ", and held. This page says why, and when it goes on."}
}
