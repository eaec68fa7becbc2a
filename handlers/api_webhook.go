package handlers

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// webhookJSON is a webhook in the API.
type webhookJSON struct {
	ID             uuid.UUID         `json:"id"`
	AgentID        *string           `json:"agent_id"`
	URL            string            `json:"url"`
	Description    string            `json:"description"`
	Events         []string          `json:"events"`
	Active         bool              `json:"active"`
	DisabledReason *string           `json:"disabled_reason"`
	HasSecret      bool              `json:"has_secret"`
	Headers        map[string]string `json:"headers"`
	Health         store.HealthState `json:"health"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	DeletedAt      *time.Time        `json:"deleted_at"`
	// Warning is there where the URL was taken though its name leads nowhere now.
	Warning string `json:"warning,omitempty"`
}

// addedWebhookJSON is a webhook with its secret, or null where it has none.
type addedWebhookJSON struct {
	webhookJSON
	Secret *string `json:"secret"`
}

func webhookOf(o *store.Overview) webhookJSON {
	events := o.Events
	if events == nil {
		events = []string{}
	}
	return webhookJSON{
		ID: o.ID, AgentID: orNull(o.AgentID), URL: o.URL, Description: o.Description, Events: events, Active: o.Active,
		DisabledReason: orNull(o.DisabledReason), HasSecret: o.HasSecret, Headers: headersJSON(o.Headers), Health: o.Health.State,
		CreatedAt: o.CreatedAt.Time, UpdatedAt: o.UpdatedAt.Time, DeletedAt: timeOrNull(o.DeletedAt),
	}
}

// apiWebhooks lists the webhooks, of one agent where asked.
func (h *Handlers) apiWebhooks(c echo.Context) error {
	q := queryOf(c)
	agent, inactive := q.text("agent_id"), q.flag("include_inactive")
	if err := q.err(); err != nil {
		return err
	}
	all, err := h.store.Overviews(c.Request().Context(), accountIn(c))
	if err != nil {
		return err
	}
	list := []webhookJSON{}
	for i := range all {
		if o := &all[i]; (o.Active || inactive) && (agent == "" || o.AgentID == agent) {
			list = append(list, webhookOf(o))
		}
	}
	return web.JSON(c, http.StatusOK, list)
}

func (h *Handlers) apiWebhook(c echo.Context) error {
	id, err := idIn(c, "id")
	if err != nil {
		return err
	}
	o, err := h.store.Overview(c.Request().Context(), accountIn(c), id)
	if err == nil {
		err = noParameters(c)
	}
	if err != nil {
		return err
	}
	return web.JSON(c, http.StatusOK, webhookOf(&o))
}

// webhookInput is what a call says about a webhook.
type webhookInput struct {
	URL         web.Optional[string]            `json:"url"`
	AgentID     web.Optional[string]            `json:"agent_id"`
	Description web.Optional[string]            `json:"description"`
	Events      web.Optional[[]string]          `json:"events"`
	Headers     web.Optional[map[string]string] `json:"headers"`
	Active      web.Optional[bool]              `json:"active"`
}

// check refuses what has a type but no meaning.
func (in *webhookInput) check() (faults []web.FieldError) {
	if in.AgentID.Set && !in.AgentID.Null && in.AgentID.Value == "" {
		faults = append(faults, web.FieldError{Field: "agent_id", Detail: "an agent has 1 to 128 characters; null means all agents"})
	}
	if in.Active.Null {
		faults = append(faults, web.FieldError{Field: "active", Detail: "must be true or false"})
	}
	return faults
}

// headersOf gives the headers of an object in the order of their names.
func headersOf(object map[string]string) []store.Header {
	headers := make([]store.Header, 0, len(object))
	for name, value := range object {
		headers = append(headers, store.Header{Name: name, Value: value})
	}
	slices.SortFunc(headers, func(a, b store.Header) int { return cmp.Compare(a.Name, b.Name) })
	return headers
}

func (h *Handlers) apiAddWebhook(c echo.Context) error {
	var in struct {
		webhookInput
		Secret web.Optional[string] `json:"secret"`
	}
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	if err := invalidInput(append(in.check(), checkOwnSecret(in.Secret)...)...); err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountIn(c)
	w, secret, warning, err := h.store.CreateWebhook(ctx, account, store.NewWebhook{
		URL: in.URL.Value, AgentID: in.AgentID.Value, Description: in.Description.Value, Events: in.Events.Value,
		Secret: secretChoice(in.Secret), Headers: headersOf(in.Headers.Value), Active: !in.Active.Set || in.Active.Value, By: byKey(c),
	})
	if err != nil {
		return err
	}
	o, err := h.store.Overview(ctx, account, w.ID)
	if err != nil {
		return err
	}
	added := addedWebhookJSON{webhookOf(&o), orNull(secret)}
	added.Warning = warning
	c.Response().Header().Set(echo.HeaderLocation, apiPath+"/webhooks/"+w.ID.String())
	return web.JSON(c, http.StatusCreated, added)
}

// liveID reads the id of a webhook that may be written to: 404 or 410 come
// before anything is said about the body.
func (h *Handlers) liveID(c echo.Context) (uuid.UUID, error) {
	id, err := idIn(c, "id")
	if err != nil {
		return id, err
	}
	_, err = h.liveWebhook(c.Request().Context(), accountIn(c), id)
	return id, err
}

// liveWebhook finds a webhook that was not deleted.
func (h *Handlers) liveWebhook(ctx context.Context, account, id uuid.UUID) (store.Webhook, error) {
	w, err := h.store.Webhook(ctx, account, id)
	if err == nil && !w.DeletedAt.IsZero() {
		err = &store.Error{Code: store.CodeGone, Detail: "this webhook was deleted; its log stays readable, nothing else can be done with it"}
	}
	return w, err
}

func (h *Handlers) apiChangeWebhook(c echo.Context) error {
	id, err := h.liveID(c)
	if err != nil {
		return err
	}
	var in webhookInput
	if err := bodyOf(c, &in); err != nil {
		return err
	}
	if err := invalidInput(in.check()...); err != nil {
		return err
	}
	ctx, account := c.Request().Context(), accountIn(c)
	_, warning, err := h.store.UpdateWebhook(ctx, account, id, in.patch(byKey(c)))
	if err != nil {
		return err
	}
	o, err := h.store.Overview(ctx, account, id)
	if err != nil {
		return err
	}
	changed := webhookOf(&o)
	changed.Warning = warning
	return web.JSON(c, http.StatusOK, changed)
}

// patch changes what the call names. null empties: no agent, all events, no
// description, no headers.
func (in *webhookInput) patch(by string) store.WebhookPatch {
	p := store.WebhookPatch{
		URL: given(in.URL), AgentID: given(in.AgentID), Description: given(in.Description),
		Events: given(in.Events), Active: given(in.Active), By: by,
	}
	if in.Headers.Set {
		headers := headersOf(in.Headers.Value)
		p.Headers = &headers
	}
	return p
}

// given is what a call says, nil where it says nothing.
func given[T any](o web.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

func (h *Handlers) apiDeleteWebhook(c echo.Context) error {
	id, err := h.liveID(c)
	if err != nil {
		return err
	}
	if err := noBody(c); err != nil {
		return err
	}
	if err := h.store.DeleteWebhook(c.Request().Context(), accountIn(c), id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
