package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
	"belfry/worker/outbound"
	"belfry/worker/signature"
)

// Reasons why a webhook is not active.
const (
	ReasonManual  = "manual"
	ReasonFailing = "failing"
	ReasonGone    = "gone"
)

// Webhook is a registered endpoint. Its secrets are never in it; the values of
// its custom headers are masked but for their last four characters.
type Webhook struct {
	ID, AccountID  uuid.UUID
	AgentID        string // empty: all agents
	URL            string
	Description    string
	Events         []string // empty: all events
	Active         bool
	DisabledReason string // empty while active
	ActiveSince    Time   // since when it is active or not
	ChangedBy      string // who paused or resumed it last
	HasSecret      bool
	OverlapEndsAt  Time // zero unless a rotation overlaps
	RotatedAt      Time
	Headers        []Header
	Version        int64
	CreatedAt      Time
	UpdatedAt      Time
	DeletedAt      Time
}

// Header is one HTTP header.
type Header = struct{ Name, Value string }

// SecretChoice says how a webhook is signed.
type SecretChoice struct {
	// None leaves requests unsigned.
	None bool
	// Own is the admin's secret; empty: one is generated.
	Own string
}

// NewWebhook is what an admin gives to add a webhook.
type NewWebhook struct {
	URL, AgentID, Description string
	Events                    []string
	Secret                    SecretChoice
	Headers                   []Header
	Active                    bool
	// By names who does it.
	By string
}

// WebhookPatch changes what is not nil.
type WebhookPatch struct {
	URL, AgentID, Description *string
	Events                    *[]string
	// Headers replaces all; a value that equals its mask stays as it was.
	Headers *[]Header
	Active  *bool
	// Version refuses the change (CodeConflict) where it is not the current
	// one; 0 does not ask.
	Version int64
	By      string
}

// webhookRow is a row of webhooks.
type webhookRow struct {
	bun.BaseModel  `bun:"table:webhooks,alias:w"`
	ID             uuid.UUID
	AccountID      uuid.UUID
	AgentID        string `bun:",nullzero"`
	URL            string
	Description    string
	Events         string
	Active         bool
	DisabledReason string `bun:",nullzero"`
	ActiveSince    Time
	ChangedBy      string `bun:",nullzero"`
	Secret         []byte
	NextSecret     []byte
	OverlapEndsAt  Time `bun:",nullzero"`
	RotatedAt      Time `bun:",nullzero"`
	Headers        []byte
	Version        int64
	CreatedAt      Time
	UpdatedAt      Time
	DeletedAt      Time `bun:",nullzero"`
}

func webhookRows(ctx context.Context, db bun.IDB, where string, args ...any) ([]webhookRow, error) {
	var rows []webhookRow
	err := db.NewSelect().Model(&rows).Where(where, args...).Order("id").Scan(ctx)
	return rows, err
}

// openWebhook makes the public noun and the endpoint for senders of a row.
func (s *Store) openWebhook(r *webhookRow, account Account) (Webhook, *Endpoint, error) {
	w := Webhook{
		ID: r.ID, AccountID: r.AccountID, AgentID: r.AgentID, URL: r.URL, Description: r.Description,
		Active: r.Active, DisabledReason: r.DisabledReason, ActiveSince: r.ActiveSince, ChangedBy: r.ChangedBy,
		HasSecret: r.Secret != nil, OverlapEndsAt: r.OverlapEndsAt, RotatedAt: r.RotatedAt, Version: r.Version,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, DeletedAt: r.DeletedAt,
	}
	if err := json.Unmarshal([]byte(r.Events), &w.Events); err != nil {
		return w, nil, fmt.Errorf("webhook %s: events: %w", r.ID, err)
	}
	e := &Endpoint{Account: account.Name, URL: r.URL, HeaderPrefix: account.HeaderPrefix, OverlapEndsAt: r.OverlapEndsAt.Time}
	var err error
	if e.Secret, err = s.openText(place("secret", r.ID), r.Secret); err != nil {
		return w, nil, err
	}
	if e.Next, err = s.openText(place("secret", r.ID), r.NextSecret); err != nil {
		return w, nil, err
	}
	headers, err := s.seal.open(place("headers", r.ID), r.Headers)
	if err != nil {
		return w, nil, err
	}
	if headers != nil {
		if err := json.Unmarshal(headers, &e.Headers); err != nil {
			return w, nil, err
		}
	}
	for _, h := range e.Headers {
		w.Headers = append(w.Headers, Header{h.Name, Mask(h.Value)})
	}
	return w, e, nil
}

func (s *Store) openText(place string, sealed []byte) (string, error) {
	plain, err := s.seal.open(place, sealed)
	return string(plain), err
}

func place(what string, id uuid.UUID) string { return what + " " + id.String() }

// Mask hides a secret value but for its last four characters; a short value
// is hidden whole.
func Mask(value string) string {
	if len(value) < 8 {
		return maskDots
	}
	return maskDots + value[len(value)-4:]
}

const maskDots = "••••"

// IsMasked says whether a value is what Mask made.
func IsMasked(value string) bool { return strings.HasPrefix(value, maskDots) }

// recentAgents is how many of the newest deliveries are looked at for agents.
const recentAgents = 100

// RecentAgents names, without repeats, the agents that the account's webhooks
// are bound to and those of its newest deliveries; there is no table of agents.
func (s *Store) RecentAgents(ctx context.Context, account uuid.UUID) (agents []string, err error) {
	err = s.ro.NewRaw(`SELECT agent_id FROM webhooks WHERE account_id = ? AND deleted_at IS NULL AND agent_id IS NOT NULL
		UNION SELECT agent_id FROM (SELECT agent_id FROM deliveries WHERE account_id = ? ORDER BY id DESC LIMIT ?) AS newest WHERE agent_id IS NOT NULL`,
		account, account, recentAgents).Scan(ctx, &agents)
	return agents, s.wrap(err)
}

// Webhook finds one webhook of the account, deleted ones too.
func (s *Store) Webhook(ctx context.Context, account, id uuid.UUID) (Webhook, error) {
	return s.webhook(ctx, s.ro, account, id)
}

func (s *Store) webhook(ctx context.Context, db bun.IDB, account, id uuid.UUID) (Webhook, error) {
	rows, err := webhookRows(ctx, db, "account_id = ? AND id = ?", account, id)
	if err != nil {
		return Webhook{}, s.wrap(err)
	}
	if len(rows) == 0 {
		return Webhook{}, notFound()
	}
	w, _, err := s.openWebhook(&rows[0], Account{})
	return w, err
}

// Webhooks lists the account's webhooks that are not deleted, oldest first.
func (s *Store) Webhooks(ctx context.Context, account uuid.UUID) ([]Webhook, error) {
	rows, err := webhookRows(ctx, s.ro, "account_id = ? AND deleted_at IS NULL", account)
	if err != nil {
		return nil, s.wrap(err)
	}
	webhooks := make([]Webhook, len(rows))
	for i := range rows {
		if webhooks[i], _, err = s.openWebhook(&rows[i], Account{}); err != nil {
			return nil, err
		}
	}
	return webhooks, nil
}

// CreateWebhook registers an endpoint and gives its secret, which is told only
// here; empty for an unsigned one. warning is for the admin, where the URL's
// name does not resolve now.
func (s *Store) CreateWebhook(ctx context.Context, account uuid.UUID, n NewWebhook) (w Webhook, secret, warning string, err error) {
	secret, warning, err = s.checkWebhook(ctx, account, &n)
	if err != nil {
		return w, "", "", err
	}
	id := s.newID()
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		return s.insertWebhook(ctx, tx, account, id, n, secret)
	})
	if err != nil {
		return w, "", "", err
	}
	w, err = s.webhook(ctx, s.db, account, id)
	return w, secret, warning, err
}

// CheckWebhook says what CreateWebhook would refuse of the input itself, all
// at once, and adds nothing.
func (s *Store) CheckWebhook(ctx context.Context, account uuid.UUID, n NewWebhook) error {
	_, _, err := s.checkWebhook(ctx, account, &n)
	return err
}

func (s *Store) checkWebhook(ctx context.Context, account uuid.UUID, n *NewWebhook) (secret, warning string, err error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return "", "", err
	}
	types, err := s.knownTypes(ctx, s.ro, account)
	if err != nil {
		return "", "", s.wrap(err)
	}
	var bad faults
	warning = s.checkURL(ctx, a.Name, n.URL, &bad)
	checkAgent(n.AgentID, &bad)
	checkDescription(n.Description, &bad)
	checkHeaders(n.Headers, a.HeaderPrefix, &bad)
	secret = checkSecret(n.Secret, &bad)
	n.Events = checkEvents(n.Events, types, &bad)
	return secret, warning, bad.err()
}

func (s *Store) insertWebhook(ctx context.Context, tx bun.Tx, account, id uuid.UUID, n NewWebhook, secret string) ([]Change, error) {
	state, err := s.lockAccount(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	if err := s.checkUnique(ctx, tx, account, id, n.URL, n.AgentID); err != nil {
		return nil, err
	}
	if limit := state.desk.account.Limits.MaxWebhooks; len(state.desk.webhooks) >= limit {
		return nil, &Error{Code: CodeQuota, Detail: fmt.Sprintf("all %d webhooks of this account are used; delete one, or ask your operator for more", limit)}
	}
	now := Time{fromMicros(state.Now)}
	row := webhookRow{
		ID: id, AccountID: account, AgentID: n.AgentID, URL: n.URL, Description: n.Description,
		Events: jsonText(n.Events), Active: n.Active, ActiveSince: now, ChangedBy: n.By,
		Secret: s.sealText(place("secret", id), secret), RotatedAt: now, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if !n.Active {
		row.DisabledReason = ReasonManual
	}
	if len(n.Headers) > 0 {
		row.Headers = s.seal.close(place("headers", id), []byte(jsonText(n.Headers)))
	}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return nil, s.duplicateEndpoint(err)
	}
	_, err = tx.NewRaw("INSERT INTO queues (id, account_id, webhook_id, paused) VALUES (?, ?, ?, ?)", id, account, id, !n.Active).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return []Change{{Kind: ChangeWebhook, AccountID: account, ID: id}}, bump(ctx, tx, account)
}

// checkUnique refuses a second webhook with the same endpoint and agent. The
// account is locked, so that nobody else can add one meanwhile.
func (s *Store) checkUnique(ctx context.Context, tx bun.Tx, account, id uuid.UUID, url, agent string) error {
	rows, err := webhookRows(ctx, tx, "account_id = ? AND coalesce(agent_id, '') = ? AND deleted_at IS NULL AND id <> ?", account, agent, id)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if outbound.SameEndpoint(r.URL, url) {
			return errDuplicateEndpoint(r)
		}
	}
	return nil
}

func errDuplicateEndpoint(has webhookRow) *Error {
	which := "the webhook " + has.ID.String()
	if has.Description != "" {
		which = fmt.Sprintf("the webhook “%s” (%s)", shortened(has.Description), has.ID)
	}
	e := conflict(which + " has this URL and agent already")
	e.Webhook = has.ID
	return e
}

// shortened is the beginning of a text that stands within a sentence.
func shortened(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// duplicateEndpoint is the same refusal from the unique index, which knows no
// more than the URL as it was typed.
func (s *Store) duplicateEndpoint(err error) error {
	if s.d.isDuplicate(err) {
		return conflict("a webhook has this URL and agent already")
	}
	return err
}

func (s *Store) sealText(place, text string) []byte {
	if text == "" {
		return nil
	}
	return s.seal.close(place, []byte(text))
}

// jsonText writes v as JSON, "[]" for a nil slice; characters that matter to
// HTML only are left as they are.
func jsonText(v any) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only plain structs, slices and strings come here
	}
	if text.String() == "null\n" {
		return "[]"
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// checkSecret gives the secret to keep: the own one, a new one, or none.
func checkSecret(choice SecretChoice, bad *faults) string {
	if choice.None {
		return ""
	}
	if choice.Own == "" {
		return signature.Generate()
	}
	if err := signature.Check(choice.Own); err != nil {
		bad.add("secret", err.Error())
	}
	return choice.Own
}

func checkAgent(agent string, bad *faults) {
	if len([]rune(agent)) > 128 || strings.ContainsRune(agent, 0) {
		bad.add("agent_id", "an agent has 1 to 128 characters")
	}
}

func checkDescription(text string, bad *faults) {
	if len([]rune(text)) > 500 || strings.ContainsRune(text, 0) {
		bad.add("description", "a description has at most 500 characters")
	}
}

func checkEvents(patterns []string, types map[string]bool, bad *faults) []string {
	list, wrong := checkSubscription(patterns, types)
	*bad = append(*bad, wrong...)
	return list
}
