package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
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
	found := views.Found{Query: query}
	add := func(title string, items []views.FoundItem) {
		if len(items) > 0 {
			found.Groups = append(found.Groups, views.FoundGroup{Title: title, Items: items})
		}
	}
	words := strings.Fields(query)
	add("Webhooks", findWebhooks(list, words))
	deliveries, events, err := h.findIDs(ctx, p, query)
	if err != nil {
		return err
	}
	add("Deliveries", deliveries)
	add("Events", events)
	add("Pages", views.FindPages(words, p.Role.CanEdit()))
	if query != "" {
		add("Logs", []views.FoundItem{{Icon: "search", Label: "Search the log for “" + query + "”", Href: views.LogsAddress("q", query)}})
	}
	return web.Render(c, http.StatusOK, views.PaletteFound(found))
}

// findWebhooks gives those that hold all the words, those in trouble first.
func findWebhooks(list []store.Overview, words []string) []views.FoundItem {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b store.Overview) int { return trouble(&b) - trouble(&a) })
	var items []views.FoundItem
	for i := range list {
		w := &list[i]
		if len(items) == findEach || !views.HoldsAll(strings.Join([]string{w.URL, w.Description, w.AgentID, w.ID.String()}, " "), words) {
			continue
		}
		host, rest := views.SplitURL(w.URL)
		items = append(items, views.FoundItem{
			Icon: "webhook", Label: host + rest, Detail: w.Description, Mono: true, Href: views.WebhookAddress(w.ID),
			State: views.HealthState(string(w.Health.State), w.DisabledReason),
		})
	}
	return items
}

func trouble(w *store.Overview) int {
	if w.Trouble() {
		return 1
	}
	return 0
}

// findIDs gives deliveries and events whose ids begin with the query.
func (h *Handlers) findIDs(ctx context.Context, p person, query string) (deliveries, events []views.FoundItem, err error) {
	foundDeliveries, foundEvents, err := h.store.FindByID(ctx, p.Account.ID, query, findEach)
	for i := range foundDeliveries {
		d := &foundDeliveries[i]
		deliveries = append(deliveries, views.FoundItem{
			Icon: "send", Label: d.ID.String(), Detail: d.EventType + " to " + d.URL, Mono: true, Href: deliveryPath(d.ID),
			State: views.DeliveryState(d.Status.String(), d.Held),
		})
	}
	for _, e := range foundEvents {
		events = append(events, views.FoundItem{Icon: "zap", Label: e.ID.String(), Detail: e.Type, Mono: true, Href: eventPath(e.ID)})
	}
	return deliveries, events, err
}
