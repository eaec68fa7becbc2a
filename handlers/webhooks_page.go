package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// webhooksPage lists the account's webhooks.
func (h *Handlers) webhooksPage(c echo.Context) error {
	ctx, p := c.Request().Context(), personOf(c)
	list, err := h.store.Overviews(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	filter, unknown := webhooksFilter(c.QueryParams())
	page := webhooksOf(p, filter, list)
	page.Unknown = unknown
	page.Frame = h.frameOf(c, views.EntryWebhooks, store.StandingOf(list))
	if len(list) == 0 {
		if err := h.teach(c, &page); err != nil {
			return err
		}
		return web.Render(c, http.StatusOK, views.Webhooks(page))
	}
	if page.Strip, err = h.store.Strip(ctx, p.Account.ID, list); err != nil {
		return err
	}
	if page.First, err = h.firstSteps(c, list); err != nil {
		return err
	}
	following := page.Filter.Values()
	following.Set("seen", liveWebhookRows(page).mark())
	page.Live = views.LiveView{URL: withQuery(webhooksLivePath, following), First: page.Filter.Address(), What: "webhooks", Steady: true}
	return web.Render(c, http.StatusOK, views.Webhooks(page))
}

// webhooksOf is the list as a person sees it, as far as the filter lets it.
func webhooksOf(p person, filter views.WebhooksFilter, list []store.Overview) views.WebhooksPage {
	page := views.WebhooksPage{
		CanEdit: p.Role.CanEdit(), Filter: filter,
		Used: len(list), Most: p.Account.Limits.MaxWebhooks, Timeout: p.Account.Limits.Timeout,
	}
	narrow(&page, list)
	return page
}

// teach fills in what a page without webhooks shows instead.
func (h *Handlers) teach(c echo.Context, page *views.WebhooksPage) error {
	types, err := h.store.EventTypes(c.Request().Context(), personOf(c).Account.ID)
	if err != nil {
		return err
	}
	for _, t := range types {
		if store.Matches(nil, t.Name) {
			page.Types++
		}
	}
	page.InboxToken = store.NewFormToken()
	page.Sample, err = h.arrivalOf(c, sampleType(types, "call.ended"), sampleTo{signed: true})
	return err
}

// webhooksFilter reads the filter of an address, and gives what of the address
// means nothing.
func webhooksFilter(address url.Values) (f views.WebhooksFilter, unknown unknowns) {
	return f, listFilter{
		oneOf("state", &f.State, "webhooks in all states", "trouble", "active", "inactive"),
		anyText("agent", &f.Agent),
		anyText("q", &f.Text),
		oneOf("sort", &f.Sort, "those in trouble first", views.WebhookSorts()...),
	}.read(address)
}

// narrow keeps what the page's filter asks for, in its order, and counts the
// states.
func narrow(page *views.WebhooksPage, list []store.Overview) {
	for i := range list {
		o := &list[i]
		if o.AgentID != "" && !slices.Contains(page.Agents, o.AgentID) {
			page.Agents = append(page.Agents, o.AgentID)
		}
		if !mentions(o, page.Filter) {
			continue
		}
		page.All++
		trouble := o.Trouble()
		if trouble {
			page.Trouble++
		}
		if o.Active {
			page.Active++
		} else {
			page.Inactive++
		}
		if wanted := page.Filter.State; wanted == "" || wanted == "trouble" && trouble || wanted == "active" && o.Active || wanted == "inactive" && !o.Active {
			page.Rows = append(page.Rows, *o)
		}
	}
	slices.Sort(page.Agents)
	sortWebhooks(page.Rows, page.Filter.Sort)
}

// mentions says whether the webhook is of the agent and holds the text.
func mentions(o *store.Overview, f views.WebhooksFilter) bool {
	if f.Agent != "" && o.AgentID != f.Agent {
		return false
	}
	text := strings.ToLower(f.Text)
	return text == "" || strings.Contains(strings.ToLower(o.URL), text) || strings.Contains(strings.ToLower(o.Description), text) ||
		strings.Contains(o.ID.String(), text) || takes(o, text)
}

// takes says whether the webhook names an event that holds the text, or has it
// by a group.
func takes(o *store.Overview, text string) bool {
	named := func(event string) bool { return strings.Contains(event, text) }
	return slices.ContainsFunc(o.Events, named) || len(o.Events) > 0 && store.Matches(o.Events, text)
}
