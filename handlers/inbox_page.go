package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const inboxPath = "/setup/webhooks/inbox"

// inboxPage shows what arrived in the account's test inbox.
func (h *Handlers) inboxPage(c echo.Context) error {
	ctx, p := c.Request().Context(), personOf(c)
	v := views.InboxView{Unknown: listFilter{}.read(c.QueryParams(), "delivery"), Token: store.NewFormToken(), Start: store.NewFormToken(), CanEdit: p.Role.CanEdit()}
	webhook, err := h.inboxWebhook(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	v.Webhook = webhook != nil
	if v.Answer, err = h.store.InboxAnswer(ctx, p.Account.ID); err != nil {
		return err
	}
	list, err := h.store.InboxRequests(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	for i := range list {
		arrival := arrivalView(&list[i])
		arrival.Open = arrival.Delivery == c.QueryParam("delivery")
		v.Arrivals = append(v.Arrivals, arrival)
	}
	v.Shorten()
	newest := uuid.Nil
	if len(list) > 0 {
		newest = list[0].ID
	}
	v.LiveURL = withQuery(inboxPath+"/live", url.Values{"seen": {newest.String()}})
	return web.Render(c, http.StatusOK, views.Inbox(h.frame(c, views.EntryInbox), v))
}

// inboxWebhook gives a webhook of the account that leads to the test inbox; nil
// where none does.
func (h *Handlers) inboxWebhook(ctx context.Context, accountID uuid.UUID) (*store.Webhook, error) {
	list, err := h.store.Webhooks(ctx, accountID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].URL == store.InboxURL {
			return &list[i], nil
		}
	}
	return nil, nil
}

func arrivalView(r *store.InboxRequest) views.ArrivalView {
	v := views.ArrivalView{
		ID: r.ID.String(), Event: r.EventType, Delivery: r.DeliveryID.String(), Attempt: "attempt " + strconv.Itoa(r.Attempt),
		When: r.CreatedAt.Time, Answered: strconv.Itoa(r.StatusCode), Body: maskBody(strings.ToValidUTF8(string(r.Body), "\uFFFD")),
	}
	switch r.Verified {
	case store.VerifiedBySecret:
		v.Verified, v.Why = views.AnswerState("Verified", true), "Both signature headers and the body's own fit the webhook's secret."
	case store.VerifiedByBoth:
		v.Verified, v.Why = views.AnswerState("Verified", true), "A rotation overlaps: the old secret signs first and the new one beside it, and both fit."
	case store.NotSigned:
		v.Verified, v.Why = views.State{Icon: "shield-off", Tone: "idle", Word: "Not signed"}, "It was sent without a secret, so nothing can be verified."
	default:
		v.Verified, v.Why = views.AnswerState("Not verified", false), "A signature does not fit the webhook's secret."
	}
	for _, header := range r.Headers {
		v.Headers = append(v.Headers, headerLine(header))
	}
	if r.Size > len(r.Body) {
		v.Note = "The first " + views.Bytes(int64(len(r.Body))) + " of " + views.Bytes(int64(r.Size)) + " are kept here."
	}
	return v
}

// setInboxAnswer chooses what the inbox answers.
func (h *Handlers) setInboxAnswer(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		if err := h.store.SetInboxAnswer(ctx, personOf(c).Account.ID, fields.Get("answer")); err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: "Saved."})
		return inboxPath, nil
	}, nil)
}

// startInbox adds a webhook that leads to the test inbox, unless there is one,
// and leads on to sending it a test.
func (h *Handlers) startInbox(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	finish(c)
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		p := personOf(c)
		there, err := h.inboxWebhook(ctx, p.Account.ID)
		if err != nil {
			return "", err
		}
		if there != nil {
			return testAddress(there.ID), nil
		}
		// Its secret isn't shown: Belfry itself is the receiver, and knows it.
		w, _, _, err := h.store.CreateWebhook(ctx, p.Account.ID, store.NewWebhook{URL: store.InboxURL, Events: []string{}, Active: true, By: p.Email})
		if err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: "Webhook added. It leads to the test inbox."})
		return testAddress(w.ID), nil
	}, nil)
}

// inboxLive tells an open inbox that something has arrived.
func (h *Handlers) inboxLive(c echo.Context) error {
	account := personOf(c).Account.ID
	return h.announce(c, account, func(change store.Change) bool {
		return change.Kind == store.ChangeInbox || change.ID == uuid.Nil
	}, func(ctx context.Context) (string, error) {
		newest, err := h.store.NewestInboxRequest(ctx, account)
		return newest.String(), err
	})
}
