package handlers

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

// act does what a form of one button asks of what the address names, once.
func (h *Handlers) act(c echo.Context, do func(ctx context.Context, account, id uuid.UUID) (next string, err error)) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		return do(ctx, personOf(c).Account.ID, id)
	}, nil)
}

// deleteWebhook removes the webhook for good and leads to the list.
func (h *Handlers) deleteWebhook(c echo.Context) error {
	return h.act(c, func(ctx context.Context, account, id uuid.UUID) (string, error) {
		w, err := h.store.Webhook(ctx, account, id)
		if err != nil {
			return "", err
		}
		if err := h.store.DeleteWebhook(ctx, account, id); err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: "Deleted " + views.WebhookName(w) + ".", Link: views.Link{Label: "Its log", Href: views.LogsAddress("webhook", id.String())}})
		return views.WebhooksAddress, nil
	})
}

// sendMissed sends what the webhook missed while it was inactive.
func (h *Handlers) sendMissed(c echo.Context) error {
	return h.act(c, func(ctx context.Context, account, id uuid.UUID) (string, error) {
		n, err := h.store.SendMissed(ctx, account, id, time.Time{})
		if err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: views.Plural(n, "missed event is", "missed events are") + " on the way, oldest first."})
		return views.WebhookAddress(id), nil
	})
}

// dismissMissed forgets what the webhook missed while it was inactive.
func (h *Handlers) dismissMissed(c echo.Context) error {
	return h.act(c, func(ctx context.Context, account, id uuid.UUID) (string, error) {
		n, err := h.store.DismissMissed(ctx, account, id)
		if err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: "Dismissed " + views.Plural(n, "missed event", "missed events") + "."})
		return views.WebhookAddress(id), nil
	})
}

// switchSecret ends a rotation's overlap now.
func (h *Handlers) switchSecret(c echo.Context) error {
	return h.act(c, func(ctx context.Context, account, id uuid.UUID) (string, error) {
		if _, err := h.store.SwitchSecret(ctx, account, id); err != nil {
			return "", err
		}
		addToast(c, views.ToastView{Text: "Only the new secret signs now."})
		return views.WebhookAddress(id), nil
	})
}

// rotateSecret gives the webhook a new secret and leads to where it is shown.
func (h *Handlers) rotateSecret(c echo.Context) error {
	w, err := h.editable(c)
	if err != nil {
		return err
	}
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	finish(c)
	form := views.RotateForm{Kind: fields.Get("secret_kind"), Secret: fields.Get("secret"), Overlap: fields.Get("overlap_hours")}
	return h.submit(c, fields.Get(tokenField), func(ctx context.Context) (string, error) {
		choice, overlap, err := readRotation(fields)
		if err != nil {
			return "", err
		}
		secret, _, err := h.store.RotateSecret(ctx, w.AccountID, w.ID, choice, overlap)
		if err != nil {
			return "", err
		}
		return views.WebhookAddress(w.ID, "secret"), h.keepSecret(c, w, secret, fields.Get(tokenField), true)
	}, func(faults *formFaults) error {
		form.Fault, form.Detail = faults.Of("secret"), faults.Detail+faults.Of("overlap_hours")
		return h.showWebhook(c, w.ID, faults.Status, "rotate", form)
	})
}

// readRotation reads the dialog; an own secret must be there, and a secret
// can't be taken away.
func readRotation(fields url.Values) (choice store.SecretChoice, overlap time.Duration, err error) {
	hours, err := strconv.Atoi(fields.Get("overlap_hours"))
	if err != nil {
		return choice, 0, invalidInput(web.FieldError{Field: "overlap_hours", Detail: "choose for how long the old secret signs, too"})
	}
	if fields.Get("secret_kind") == "own" {
		if choice.Own = fields.Get("secret"); choice.Own == "" {
			return choice, 0, invalidInput(web.FieldError{Field: "secret", Detail: "type your secret, or have one generated"})
		}
	}
	return choice, time.Duration(hours) * time.Hour, nil
}
