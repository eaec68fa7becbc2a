package handlers

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	secretKey = "secret"
	// secretFor is how long a secret waits to be looked at.
	secretFor = 10 * time.Minute
)

// keptSecret is a secret on its way from the form that made it to the page that
// shows it. It waits in the session, which the store seals.
type keptSecret struct {
	Webhook uuid.UUID `json:"webhook"`
	Secret  string    `json:"secret"`
	Until   time.Time `json:"until"`
	Rotated bool      `json:"rotated"`
	// View must come with the next look; empty for the first one. Each look
	// makes a new one, so that a reload comes with a used one and sees nothing.
	View string `json:"view"`
	Form string `json:"form"` // token of the form that made it
}

// againField is the field of an address that has the token of a form that was
// sent twice.
const againField = "again"

// lookAgain is where a form that was sent twice leads. What it made is shown once,
// and the browser that sent it again gave up the page with it: the new one may
// show it, too.
func lookAgain(c echo.Context, next, token string) string {
	for _, key := range []string{secretKey, freshKeyKey} {
		var kept struct {
			Form string `json:"form"`
		}
		if web.SessionOf(c).Get(key, &kept) && kept.Form == token {
			return withQuery(next, url.Values{againField: {token}})
		}
	}
	return next
}

// looksAgain takes the one more look that the form may have, for a form that was
// sent twice.
func looksAgain(c echo.Context, form *string) bool {
	if *form == "" || c.QueryParam(againField) != *form {
		return false
	}
	*form = ""
	return true
}

// keepSecret leaves the secret for the page that shows it, at once: whoever
// sends the same form again is led there too.
func (h *Handlers) keepSecret(c echo.Context, w store.Webhook, secret, form string, rotated bool) error {
	session := web.SessionOf(c)
	err := session.Set(secretKey, keptSecret{Webhook: w.ID, Secret: secret, Until: h.opt.Now().Add(secretFor), Rotated: rotated, Form: form})
	if err != nil {
		return err
	}
	return session.Save(c)
}

// secretPage shows a webhook's secret, once: looking at it in another language
// is part of the same look, reloading is not.
func (h *Handlers) secretPage(c echo.Context) error {
	w, err := h.editable(c)
	if err != nil {
		return err
	}
	page := views.SecretPage{Frame: h.frame(c, views.EntryWebhooks), Webhook: w}
	session := web.SessionOf(c)
	var kept keptSecret
	if session.Get(secretKey, &kept) && kept.Webhook == w.ID {
		if !looksAgain(c, &kept.Form) && kept.View != c.QueryParam("view") || !h.opt.Now().Before(kept.Until) {
			session.Delete(secretKey)
			return web.Render(c, http.StatusOK, views.Secret(page))
		}
		kept.View = rand.Text()
		if err := session.Set(secretKey, kept); err != nil {
			return err
		}
		page.Secret, page.Rotated, page.View = kept.Secret, kept.Rotated, kept.View
		page.Choices = snippets(kept.Secret)
		page.Snippet = chosenSnippet(page.Choices, c.QueryParam("lang"))
	}
	return web.Render(c, http.StatusOK, views.Secret(page))
}

// chosenSnippet is the one in the language, the first one by default.
func chosenSnippet(all []views.Snippet, lang string) views.Snippet {
	for _, s := range all {
		if s.Lang == lang {
			return s
		}
	}
	return all[0]
}
