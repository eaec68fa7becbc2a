package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Event is something that happened.
type Event struct {
	ID, AccountID uuid.UUID
	Type          string
	AgentID       string // empty: about nobody in particular
	OccurredAt    Time
	Data          []byte // the published JSON object, compact
	Test          bool
	CreatedAt     Time

	// Verdicts are one for each webhook of the account at the time. Event says
	// which delivery each led to, Events leaves that to NameDeliveries.
	Verdicts []Verdict
}

// Reason says why an event went to a webhook or did not.
type Reason uint8

// The reasons, one for each webhook of the account.
const (
	Sent Reason = iota
	NotSubscribed
	OtherAgent
	NoAgent
	WasInactive
)

var reasonNames = [...]string{"sent", "not_subscribed", "other_agent", "no_agent", "inactive"}

// String is the reason's name in the API.
func (r Reason) String() string { return reasonNames[r] }

// Verdict says why an event went to a webhook or did not.
type Verdict struct {
	WebhookID  uuid.UUID
	Reason     Reason
	DeliveryID uuid.UUID // zero unless sent
}

// decide gives the verdict on one webhook. Missed tells whether an inactive
// webhook would have got the event.
func decide(w *Webhook, eventType, agent string) (r Reason, missed bool) {
	switch {
	case !Matches(w.Events, eventType):
		r = NotSubscribed
	case w.AgentID != "" && agent == "":
		r = NoAgent
	case w.AgentID != "" && w.AgentID != agent:
		r = OtherAgent
	}
	if r == Sent && !w.Active {
		return WasInactive, true
	}
	return r, false
}

// Verdicts are kept with their event: 17 bytes each, id and reason.
func packVerdicts(verdicts []Verdict) []byte {
	packed := make([]byte, 0, 17*len(verdicts))
	for _, v := range verdicts {
		packed = append(append(packed, v.WebhookID[:]...), byte(v.Reason))
	}
	return packed
}

func unpackVerdicts(packed []byte) []Verdict {
	var verdicts []Verdict
	for ; len(packed) >= 17; packed = packed[17:] {
		verdicts = append(verdicts, Verdict{WebhookID: uuid.UUID(packed[:16]), Reason: Reason(packed[16])})
	}
	return verdicts
}

// NewEvent is an event to be published.
type NewEvent struct {
	Type string
	// Data is a JSON object; insignificant space is taken out, nothing else.
	Data []byte
	// Timestamp is when it happened; zero: the moment it is accepted.
	Timestamp time.Time
	// AgentID is who it is about; empty: data.agent_id, or nobody.
	AgentID string
}

// check brings the event into the form in which it is kept.
func (e *NewEvent) check(limits Limits, field string, bad *faults) (tooLarge bool) {
	if e.Type == "" {
		bad.add(field+"event", "is required: a type such as call.ended")
	} else if err := CheckTypeName(e.Type); err != nil {
		bad.add(field+"event", err.Error())
	} else if IsOwnGroup(e.Type) {
		bad.add(field+"event", "the webhook group is Belfry's own and can't be published")
	}
	if len([]rune(e.AgentID)) > 128 {
		bad.add(field+"agent_id", "an agent has 1 to 128 characters")
	}
	if len(e.Data) == 0 {
		bad.add(field+"data", "is required: a JSON object, {} where there is nothing to tell")
		return false
	}
	var compact bytes.Buffer
	compact.Grow(len(e.Data))
	if err := json.Compact(&compact, e.Data); err != nil || compact.Bytes()[0] != '{' {
		bad.add(field+"data", "must be a JSON object")
		return false
	}
	e.Data = compact.Bytes()
	if e.AgentID == "" {
		e.AgentID = agentOf(e.Data)
	}
	return len(e.Data) > limits.EventBytes
}

// tooLarge says by how much a checked event's data is beyond the limit.
func (e *NewEvent) tooLarge(limits Limits, field string) *Error {
	most := fmt.Sprintf("data has at most %d KiB", limits.EventBytes>>10)
	size := fmt.Sprintf(" without the spaces between its parts; this has %d KiB", (len(e.Data)+1023)>>10)
	return &Error{Code: CodeTooLarge, Detail: most, Fields: []FieldError{{field + "data", most + size}}}
}

// agentOf reads data.agent_id; anything but a string of 1 to 128 characters
// names no agent.
func agentOf(data []byte) string {
	if !bytes.Contains(data, []byte(`"agent_id"`)) {
		return ""
	}
	var members map[string]json.RawMessage
	var agent string
	if json.Unmarshal(data, &members) != nil || json.Unmarshal(members["agent_id"], &agent) != nil {
		return ""
	}
	if len([]rune(agent)) > 128 || strings.ContainsRune(agent, 0) {
		return ""
	}
	return agent
}

// eventRow is a row of events.
type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`
	ID            uuid.UUID
	AccountID     uuid.UUID
	Type          string
	AgentID       string `bun:",nullzero"`
	OccurredAt    Time
	Data          []byte
	Verdicts      []byte
	Test          bool
	CreatedAt     Time
}

func (r *eventRow) event() Event {
	return Event{
		ID: r.ID, AccountID: r.AccountID, Type: r.Type, AgentID: r.AgentID, OccurredAt: r.OccurredAt,
		Data: r.Data, Test: r.Test, CreatedAt: r.CreatedAt, Verdicts: unpackVerdicts(r.Verdicts),
	}
}

// Event finds one event of the account, with its verdict for each webhook.
func (s *Store) Event(ctx context.Context, account, id uuid.UUID) (Event, error) {
	var row eventRow
	err := s.ro.NewSelect().Model(&row).Where("account_id = ? AND id = ?", account, id).Scan(ctx)
	if err != nil {
		return Event{}, s.wrap(err)
	}
	one := []Event{row.event()}
	return one[0], s.NameDeliveries(ctx, one)
}

// trimPage drops the extra row, tells whether there was one, and puts a page
// that was turned back into newest-first order.
func trimPage[T any](rows []T, limit int, back bool) ([]T, bool) {
	more := len(rows) > limit
	if more {
		rows = rows[:limit]
	}
	if back {
		for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
			rows[i], rows[j] = rows[j], rows[i]
		}
	}
	return rows, more
}

// likePattern makes a LIKE pattern, escaped with !, that finds text anywhere.
func likePattern(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
