package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const (
	findPath = "/setup/find"
	// findChars is how much of a query counts; the rest of a paste is not read.
	findChars = 200
	// findEach is how many of a kind are shown.
	findEach = 6
)

// find answers the palette: webhooks by address, description or id, deliveries
// and events by id, pages by name, and the log for everything else.
func (h *Handlers) find(c echo.Context) error {
	query := strings.TrimSpace(c.QueryParam("q"))
	if len(query) > findChars {
		query = strings.ToValidUTF8(query[:findChars], "")
	}
	ctx, p := c.Request().Context(), personOf(c)
	list, err := h.store.Conditions(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	var found views.Found
	add := func(title string, items []views.FoundItem) {
		if len(items) > 0 {
			found.Groups = append(found.Groups, views.FoundGroup{Title: title, Items: items})
		}
	}
	words := strings.Fields(query)
	add("Webhooks", findWebhooks(list, query))
	deliveries, events, err := h.findIDs(ctx, p, query)
	if err != nil {
		return err
	}
	add("Deliveries", deliveries)
	add("Events", events)
	add("Pages", views.FindPages(words, p.Role.CanEdit()))
	found.None = len(found.Groups) == 0
	if query != "" {
		add("Logs", []views.FoundItem{{Icon: "search", Label: "Search the log for “" + query + "”", Href: views.LogsAddress("q", query)}})
	}
	return web.Render(c, http.StatusOK, views.PaletteFound(found))
}

// findWebhooks gives those that hold all words of the query, and the one whose
// id it is, in the order of the list.
func findWebhooks(list []store.Overview, query string) []views.FoundItem {
	list = slices.Clone(list)
	sortWebhooks(list, "")
	var items []views.FoundItem
	for i := range list {
		w := &list[i]
		host, rest := views.SplitURL(w.URL)
		held := views.HoldsAll(strings.Join([]string{w.URL, host, w.Description, w.AgentID}, " "), strings.Fields(query))
		if len(items) == findEach || !held && !isID(query, w.ID) {
			continue
		}
		items = append(items, views.FoundItem{
			Icon: "webhook", Label: host + rest, Detail: w.Description, Mono: true, Href: views.WebhookAddress(w.ID),
			State: views.HealthState(string(w.Health.State), w.DisabledReason),
		})
	}
	return items
}

// isID says whether somebody who typed or pasted text means the id.
func isID(text string, id uuid.UUID) bool {
	text = strings.ToLower(text)
	return len(text) >= len("01a20187") && strings.HasPrefix(id.String(), text) || text == views.ShortID(id.String())
}

// findIDs gives deliveries and events whose ids begin with the query.
func (h *Handlers) findIDs(ctx context.Context, p person, query string) (deliveries, events []views.FoundItem, err error) {
	foundDeliveries, foundEvents, err := h.store.FindByID(ctx, p.Account.ID, query, findEach)
	for i := range foundDeliveries {
		d := &foundDeliveries[i]
		host, rest := views.SplitURL(d.URL)
		deliveries = append(deliveries, views.FoundItem{
			Icon: "send", Label: views.ShortID(d.ID.String()), Detail: d.EventType + " to " + host + rest, Mono: true, Href: deliveryPath(d.ID),
			State: views.DeliveryState(d.Status.String(), d.Held),
		})
	}
	for _, e := range foundEvents {
		events = append(events, views.FoundItem{Icon: "zap", Label: views.ShortID(e.ID.String()), Detail: e.Type, Mono: true, Href: eventPath(e.ID)})
	}
	return deliveries, events, err
}
