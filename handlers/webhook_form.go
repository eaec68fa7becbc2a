package handlers

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/views"
)

// webhookForm is the form to add or edit a webhook, as it was typed.
type webhookForm struct {
	Token, URL, Description, Agent string
	Which                          string // "all" or "some"
	Events                         []string
	SecretKind, Secret             string
	Headers                        []store.Header
	Active                         bool
	Version                        int64
}

// newWebhookForm is an empty form to add a webhook with.
func newWebhookForm() webhookForm {
	return webhookForm{Token: store.NewFormToken(), Which: "all", SecretKind: "generate", Active: true}
}

// formOfWebhook is the form to edit w with. The values of its headers are left
// out, which keeps them.
func formOfWebhook(w store.Webhook) webhookForm {
	f := webhookForm{
		Token: store.NewFormToken(), URL: w.URL, Description: w.Description, Agent: w.AgentID, Which: "all",
		Events: w.Events, Active: w.Active, Version: w.Version,
	}
	if len(w.Events) > 0 {
		f.Which = "some"
	}
	for _, h := range w.Headers {
		f.Headers = append(f.Headers, store.Header{Name: h.Name})
	}
	return f
}

func readWebhookForm(fields url.Values) webhookForm {
	f := webhookForm{
		Token: fields.Get(tokenField), URL: strings.TrimSpace(fields.Get("url")), Description: strings.TrimSpace(fields.Get("description")),
		Agent: strings.TrimSpace(fields.Get("agent_id")), Which: fields.Get("which"), Events: fields["events"],
		SecretKind: fields.Get("secret_kind"), Secret: fields.Get("secret"), Active: fields.Get("active") == "true",
	}
	f.Version, _ = strconv.ParseInt(fields.Get("version"), 10, 64)
	names, values := fields["header_name"], fields["header_value"]
	for i := range min(len(names), len(values)) {
		if name := strings.TrimSpace(names[i]); name != "" || values[i] != "" {
			f.Headers = append(f.Headers, store.Header{Name: name, Value: strings.TrimSpace(values[i])})
		}
	}
	return f
}

// events is the list to keep: none for all events, and no single types beside
// the wildcard of their group.
func (f webhookForm) events() []string {
	if f.Which != "some" {
		return []string{}
	}
	return slices.DeleteFunc(slices.Clone(f.Events), func(e string) bool {
		group, _, _ := strings.Cut(e, ".")
		return !strings.HasSuffix(e, ".*") && slices.Contains(f.Events, group+".*")
	})
}

// headers fills in the masks of saved headers whose value was left empty: the
// store keeps what comes as its mask.
func (f webhookForm) headers(saved []store.Header) []store.Header {
	headers := slices.Clone(f.Headers)
	for i, h := range headers {
		if h.Value == "" {
			headers[i].Value = keptValue(saved, h.Name)
		}
	}
	return headers
}

func keptValue(saved []store.Header, name string) string {
	for _, s := range saved {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// signs says whether what is sent carries a signature.
func (f webhookForm) signs(saved store.Webhook) bool {
	if f.Version > 0 {
		return saved.HasSecret
	}
	return f.SecretKind != "none"
}

// sampleTo is where the form's webhook would get its events.
func (f webhookForm) sampleTo(saved store.Webhook) sampleTo {
	to := sampleTo{url: f.URL, signed: f.signs(saved)}
	for _, header := range f.Headers {
		to.custom = append(to.custom, header.Name)
	}
	return to
}

// secretOf is how the new webhook is signed.
func secretOf(kind, own string) store.SecretChoice {
	switch kind {
	case "none":
		return store.SecretChoice{None: true}
	case "own":
		return store.SecretChoice{Own: own}
	}
	return store.SecretChoice{}
}

// checkWebhookForm finds what only the form can get wrong; with it, what the
// store refuses is named at once. Nil: the store has the next word.
func (h *Handlers) checkWebhookForm(ctx context.Context, account uuid.UUID, f webhookForm, n store.NewWebhook) error {
	var wrong []store.FieldError
	if f.Which == "some" && len(f.Events) == 0 {
		wrong = append(wrong, store.FieldError{Field: "events", Detail: "choose at least one event, or All events"})
	}
	if f.SecretKind == "own" && f.Secret == "" {
		wrong = append(wrong, store.FieldError{Field: "secret", Detail: "type your secret, or have one generated"})
	}
	if len(wrong) == 0 {
		return nil
	}
	err := h.store.CheckWebhook(ctx, account, n)
	var refused *store.Error
	switch {
	case errors.As(err, &refused) && refused.Code == store.CodeInvalid:
		wrong = append(refused.Fields, wrong...)
	case err != nil:
		return err
	}
	return &store.Error{Code: store.CodeInvalid, Detail: "the input is not valid", Fields: wrong}
}

// formPage is the page that shows the form; saved is the webhook being edited,
// zero for a new one.
func (h *Handlers) formPage(c echo.Context, f webhookForm, saved store.Webhook, faults *formFaults) (views.WebhookFormPage, error) {
	ctx, p := c.Request().Context(), personOf(c)
	types, err := h.store.EventTypes(ctx, p.Account.ID)
	if err != nil {
		return views.WebhookFormPage{}, err
	}
	use, err := h.store.EventTypeUse(ctx, p.Account.ID)
	if err != nil {
		return views.WebhookFormPage{}, err
	}
	list, err := h.store.Conditions(ctx, p.Account.ID)
	if err != nil {
		return views.WebhookFormPage{}, err
	}
	sample, err := h.samplePanel(c, types, firstType(types, f.Events), f.sampleTo(saved))
	if err != nil {
		return views.WebhookFormPage{}, err
	}
	page := views.WebhookFormPage{
		Frame: h.frameOf(c, views.EntryWebhooks, store.StandingOf(list)), Token: f.Token, Webhook: saved, URL: f.URL, Description: f.Description, Agent: f.Agent,
		Which: f.Which, Groups: pickerGroups(types, use, f.Events), SecretKind: f.SecretKind, Secret: f.Secret, Active: f.Active, Version: f.Version,
		Sample: sample, Faults: map[string]string{},
	}
	if f.URL != "" && faults.Of("url") == "" {
		page.Ticks, _ = h.urlTicks(ctx, urlQuestion{account: p.Account.Name, url: f.URL, agent: f.Agent, editing: saved.ID}, list)
	}
	for _, header := range f.Headers {
		fault := faults.Of("headers." + header.Name)
		page.Headers = append(page.Headers, views.HeaderRow{
			Name: header.Name, Value: header.Value, Kept: keptValue(saved.Headers, header.Name), Error: fault, OfValue: fault == sentence(store.HeaderValueFault),
		})
	}
	if most := p.Account.Limits.MaxWebhooks; f.Version == 0 && len(list) >= most {
		page.Full = "All " + strconv.Itoa(most) + " webhooks of this account are used. Delete one, or ask your operator for more."
	}
	showFaults(&page, f, faults)
	return page, nil
}

// showFaults puts each fault beside its field, and gives the summary's lines
// the places that they lead to.
func showFaults(page *views.WebhookFormPage, f webhookForm, faults *formFaults) {
	if faults == nil {
		return
	}
	page.Detail = faults.Detail
	if faults.Webhook != uuid.Nil {
		page.Existing = views.Link{Label: "Open that webhook", Href: views.WebhookAddress(faults.Webhook)}
	}
	page.Summary = faults.Summary()
	slices.SortStableFunc(page.Summary, func(a, b views.FieldError) int { return formPlace(a.Field) - formPlace(b.Field) })
	for i, line := range page.Summary {
		page.Faults[line.Field] = faults.Of(line.Field)
		if line.Field == "events" {
			page.Summary[i].Field = "which-error"
		}
		for n, header := range f.Headers {
			if line.Field == "headers."+header.Name {
				page.Summary[i].Field = "header-error-" + strconv.Itoa(n+1)
			}
		}
	}
}

// formPlace is where a field stands in the form, headers last.
func formPlace(field string) int {
	if i := slices.Index([]string{"url", "description", "events", "secret", "agent_id"}, field); i >= 0 {
		return i
	}
	return 5
}

// pickerGroups are the types to choose from, with those that are chosen.
func pickerGroups(types []store.EventType, use map[string]store.TypeUse, chosen []string) []views.PickerGroup {
	var groups []views.PickerGroup
	for _, t := range types {
		wildcard := t.Group + ".*"
		if len(groups) == 0 || groups[len(groups)-1].Wildcard != wildcard {
			groups = append(groups, views.PickerGroup{Title: store.GroupTitle(t.Group), Wildcard: wildcard, Whole: slices.Contains(chosen, wildcard)})
		}
		text := t.Description
		if text == "" {
			text = t.Title
		}
		last := &groups[len(groups)-1]
		last.Types = append(last.Types, views.PickerType{Name: t.Name, Text: text, Chosen: slices.Contains(chosen, t.Name), PerDay: use[t.Name].Count24h, Attrs: views.ShowSample(t.Name)})
	}
	return groups
}

// firstType is the type whose sample a form shows first.
func firstType(types []store.EventType, chosen []string) string {
	for _, t := range types {
		if slices.Contains(chosen, t.Name) || slices.Contains(chosen, t.Group+".*") {
			return t.Name
		}
	}
	return "call.ended"
}
