package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
	"belfry/worker/outbound"
)

// urlQuestion is a URL to check, for whom, and for which webhook: zero where it
// is a new one's.
type urlQuestion struct {
	account, url, agent string
	editing             uuid.UUID
}

// checkURL answers, as one leaves the field, what the rules say of its URL.
func (h *Handlers) checkURL(c echo.Context) error {
	ask := urlQuestion{
		account: personOf(c).Account.Name, url: strings.TrimSpace(c.QueryParam("url")), agent: strings.TrimSpace(c.QueryParam("agent_id")),
	}
	ask.editing, _ = uuid.Parse(c.QueryParam("webhook"))
	if ask.url == "" {
		return web.Render(c, http.StatusOK, views.URLChecks("", "", nil))
	}
	list, err := h.store.Conditions(c.Request().Context(), personOf(c).Account.ID)
	if err != nil {
		return err
	}
	ticks, fault := h.urlTicks(c.Request().Context(), ask, list)
	return web.Render(c, http.StatusOK, views.URLChecks(ask.url, fault, ticks))
}

// urlTicks are the results of a URL's checks, and what is wrong with it. The
// list is the account's webhooks, which may have called it.
func (h *Handlers) urlTicks(ctx context.Context, ask urlQuestion, list []store.Overview) (ticks []views.Tick, fault string) {
	v, err := h.store.CheckURL(ctx, ask.account, ask.url)
	if v.Inbox {
		return append([]views.Tick{{Tone: "ok", Word: "Belfry's own test inbox"}}, knownTick(ask, list)...), ""
	}
	if v.WellFormed {
		ticks = append(ticks, views.Tick{Tone: "ok", Word: "Well formed"})
	}
	switch {
	case v.HTTPS:
		ticks = append(ticks, views.Tick{Tone: "ok", Word: "HTTPS"})
	case err == nil:
		ticks = append(ticks, views.Tick{Tone: "warn", Word: "Plain http, listed by the operator"})
	}
	if err != nil {
		return ticks, sentence(err.Error())
	}
	if v.Warning != "" {
		ticks = append(ticks, views.Tick{Tone: "warn", Word: v.Warning})
	} else {
		ticks = append(ticks, views.Tick{Tone: "ok", Word: v.AddressSentence()})
	}
	return append(ticks, knownTick(ask, list)...), ""
}

// knownTick says what the account has to do with the URL so far: a webhook that
// leads to the same place, or that it was never called.
func knownTick(ask urlQuestion, list []store.Overview) []views.Tick {
	var near, same *store.Overview
	called := false
	for i := range list {
		w := &list[i]
		equal := outbound.SameEndpoint(w.URL, ask.url)
		called = called || equal && !w.LastAttemptAt.IsZero()
		switch {
		case w.ID == ask.editing:
		case equal && (same == nil || w.AgentID == ask.agent):
			same = w
		case !equal && looseURL(w.URL) == looseURL(ask.url):
			near = w
		}
	}
	switch {
	case same != nil && same.AgentID == ask.agent:
		return []views.Tick{{Tone: "bad", Word: "Registered already, as", Link: linkTo(same)}}
	case same != nil:
		return []views.Tick{{Tone: "warn", Word: "Used already, for " + agentWords(same.AgentID) + ", by", Link: linkTo(same)}}
	case near != nil:
		return []views.Tick{{Tone: "warn", Word: "Looks like a duplicate of", Link: linkTo(near)}}
	case !called:
		return []views.Tick{{Tone: "idle", Word: "Not called yet"}}
	}
	return nil
}

// looseURL is a URL without what is often added by mistake: a query, a slash at
// the end, "www.", capitals, the other scheme.
func looseURL(raw string) string {
	u, err := url.Parse(strings.ToLower(strings.TrimSpace(raw)))
	if err != nil {
		return raw
	}
	return strings.TrimPrefix(u.Host, "www.") + strings.TrimRight(u.Path, "/")
}

func linkTo(w *store.Overview) views.Link {
	return views.Link{Label: views.WebhookName(w.Webhook), Href: views.WebhookAddress(w.ID)}
}

func agentWords(agent string) string {
	if agent == "" {
		return "all agents"
	}
	return "agent " + agent
}
