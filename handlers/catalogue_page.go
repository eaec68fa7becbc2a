package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
	"belfry/web"
)

const cataloguePath = "/setup/webhooks/catalogue"

// cataloguePage shows the account's event types by group.
func (h *Handlers) cataloguePage(c echo.Context) error {
	ctx, p := c.Request().Context(), personOf(c)
	types, err := h.store.EventTypes(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	use, err := h.store.EventTypeUse(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	names, err := h.webhookLinks(ctx, p.Account.ID)
	if err != nil {
		return err
	}
	var source, text string
	unknown := listFilter{
		oneOf("source", &source, "types of all sources", string(store.SourceBuiltin), string(store.SourceOwn), string(store.SourceDiscovered)), anyText("q", &text),
	}.read(c.QueryParams(), "open")
	v := views.CatalogueView{Unknown: unknown, MayAdd: p.Role.CanEdit(), All: len(types), Filtered: source+text != ""}
	for _, t := range types {
		if source != "" && string(t.Source) != source || !containsFold(t.Name+" "+t.Title+" "+t.Description, text) {
			continue
		}
		line := typeLine(t, use[t.Name], names)
		line.Open = c.QueryParam("open") == t.Name
		if p.Role.CanTest() {
			line.TestHref = withQuery(trialPath, url.Values{"event": {t.Name}})
		}
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Wildcard != t.Group+".*" {
			v.Groups = append(v.Groups, views.CatalogueGroup{Title: store.GroupTitle(t.Group), Wildcard: t.Group + ".*"})
		}
		group := &v.Groups[len(v.Groups)-1]
		group.Types = append(group.Types, line)
	}
	v.Sources = views.FilterView{Name: "source", Label: "Source", Value: source, Options: []views.Option{
		{Value: "builtin", Label: "Built in"}, {Value: "own", Label: "Your own"}, {Value: "discovered", Label: "Discovered"},
	}}
	v.Filters = views.FiltersView{Action: cataloguePath, Target: "#catalogue", Search: &views.FilterView{Name: "q", Label: "Name or description", Value: text}}
	return web.Render(c, http.StatusOK, views.Catalogue(h.frame(c, views.EntryCatalogue), v))
}

func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func (h *Handlers) webhookLinks(ctx context.Context, account uuid.UUID) (map[uuid.UUID]views.Link, error) {
	webhooks, err := h.store.Webhooks(ctx, account)
	links := map[uuid.UUID]views.Link{}
	for _, w := range webhooks {
		links[w.ID] = views.Link{Label: shortURL(w.URL), Href: views.WebhookAddress(w.ID)}
	}
	return links, err
}

func typeLine(t store.EventType, use store.TypeUse, names map[uuid.UUID]views.Link) views.CatalogueType {
	line := views.CatalogueType{
		Name: t.Name, Text: t.Description, Count: int(use.Count24h), Sample: string(t.Sample), Schema: string(t.Schema),
		CountHref: withQuery(logsPath, url.Values{"event": {t.Name}}),
	}
	switch t.Source {
	case store.SourceOwn:
		line.Source = "own"
	case store.SourceDiscovered:
		line.Source = "discovered"
		if line.Text == "" {
			line.Text = "Seen when it was first published"
		}
	}
	for _, id := range use.Subscribers {
		if link, ok := names[id]; ok {
			line.Subscribers = append(line.Subscribers, link)
		}
	}
	return line
}

// newTypePage is the form for an event type of one's own.
func (h *Handlers) newTypePage(c echo.Context) error {
	return h.showTypeForm(c, http.StatusOK, views.TypeFormView{Token: store.NewFormToken(), Name: c.QueryParam("name")}, nil)
}

func (h *Handlers) showTypeForm(c echo.Context, status int, v views.TypeFormView, faults *formFaults) error {
	if v.Faults = faults.Summary(); faults != nil {
		v.Refusal = faults.Detail
	}
	return web.Render(c, status, views.TypeForm(h.frame(c, views.EntryCatalogue), v))
}

// addType adds an event type of the account's own.
func (h *Handlers) addType(c echo.Context) error {
	fields, err := web.Form(c)
	if err != nil {
		return err
	}
	v := views.TypeFormView{
		Token: fields.Get(tokenField), Name: strings.TrimSpace(fields.Get("name")), Description: fields.Get("description"),
		Schema: fields.Get("schema"), Sample: fields.Get("sample"),
	}
	return h.submit(c, v.Token, func(ctx context.Context) (string, error) {
		t, err := h.store.AddEventType(ctx, personOf(c).Account.ID, store.EventType{
			Name: v.Name, Description: v.Description, Schema: jsonField(v.Schema), Sample: jsonField(v.Sample),
		})
		if err != nil {
			return "", err
		}
		return withQuery(cataloguePath, url.Values{"open": {t.Name}}) + "#" + t.Name, nil
	}, func(faults *formFaults) error { return h.showTypeForm(c, faults.Status, v, faults) })
}

// jsonField is what was typed as JSON; an empty field is none.
func jsonField(text string) json.RawMessage {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return json.RawMessage(text)
}
