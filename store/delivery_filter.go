package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// narrowing is a filter as queries: the base is what one index gives in the
// order of ids, the rest is asked of each of its rows.
type narrowing struct {
	base, rest []condition
	ids        idRange // of the index
	table      string  // with its alias and its index; empty: the planner's choice
	byTime     bool    // the index gives them by time, not by id
	failed     bool    // the index is that of failed attempts (a), which the base is about
	text       bool    // the rest looks into events' data
	pairs      bool    // the rest reads another row for each
}

type condition struct {
	sql  string
	args []any
}

func (n *narrowing) from(sql string, args ...any) { n.base = append(n.base, condition{sql, args}) }
func (n *narrowing) ask(sql string, args ...any)  { n.rest = append(n.rest, condition{sql, args}) }

// askGroup asks for a group of types where the pattern is one (call.*).
func (n *narrowing) askGroup(column, pattern string) bool {
	group, wild := strings.CutSuffix(pattern, "*")
	if wild {
		n.ask(column+" >= ? AND "+column+" < ?", group, group+"\x7f")
	}
	return wild
}

// idSlack is how far the time of an id may be from that of its row: the former
// is the node's, the latter the database's.
const idSlack = 5 * time.Second

// narrow chooses the index that leaves the least to look at, and leaves to the
// rest what it does not answer.
func (s *Store) narrow(ctx context.Context, account uuid.UUID, f DeliveryFilter) (n narrowing, err error) {
	if f.Tests { // they stand in the account's own queue
		n.from("d.queue_id = ? AND d.test", account)
		n.byTime = true
		n.bound("d", f.From, f.To, f.roughly)
		return n, nil
	}
	named, err := s.narrowNamed(ctx, &n, account, f.Text)
	switch {
	case err != nil:
	case named:
		f.askWebhook(&n)
	case f.Error != "":
		f.narrowFailed(&n, account)
	case f.WebhookID != uuid.Nil:
		err = s.narrowWebhook(ctx, &n, account, f.WebhookID)
	default:
		n.from("d.account_id = ?", account)
	}
	if err != nil {
		return n, err
	}
	if !named && !n.failed {
		s.chooseBase(&n, &f)
	}
	n.bound("d", f.From, f.To, f.roughly)
	s.askRest(&n, &f)
	if f.Text != "" && !named {
		n.text, n.pairs = true, true
		// A value, not EXISTS, which might be made a join with all events.
		n.ask("(SELECT "+s.d.blobText("e.data")+" LIKE ? ESCAPE '!' FROM events e WHERE e.id = d.event_id)", likePattern(f.Text))
	}
	return n, nil
}

func parseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(strings.TrimSpace(text))
	return id, err == nil
}

// narrowNamed narrows to what a text names: an id, or how one begins. False: it
// names nothing.
func (s *Store) narrowNamed(ctx context.Context, n *narrowing, account uuid.UUID, text string) (bool, error) {
	if id, isID := parseID(text); isID {
		return true, s.narrowID(ctx, n, account, id)
	}
	id, named, err := s.meansAny(ctx, account, text, "deliveries", "events")
	if named {
		s.narrowShortID(n, account, id)
	}
	return named, err
}

// narrowID finds out what an id is of: a delivery, an event or a webhook. What
// is of another account is not there.
func (s *Store) narrowID(ctx context.Context, n *narrowing, account, id uuid.UUID) error {
	for _, column := range []string{"id", "event_id"} {
		var owner []uuid.UUID
		err := s.ro.NewRaw("SELECT account_id FROM deliveries WHERE "+column+" = ? LIMIT 1", id).Scan(ctx, &owner)
		if err != nil {
			return err
		}
		if len(owner) == 1 && owner[0] == account {
			n.from("d."+column+" = ?", id)
			return nil
		}
	}
	return s.narrowWebhook(ctx, n, account, id)
}

// narrowWebhook has the webhook's index give the rows. The account stays out of
// the condition once it is known to be the webhook's, lest its own index, which
// is the larger one, be chosen.
func (s *Store) narrowWebhook(ctx context.Context, n *narrowing, account, id uuid.UUID) error {
	owned, err := s.ro.NewSelect().TableExpr("webhooks").Where("id = ? AND account_id = ?", id, account).Exists(ctx)
	n.from("d.webhook_id = ?", id)
	if !owned {
		n.from("d.account_id = ?", account)
	}
	return err
}

// narrowFailed has the index of failed attempts give the rows. It knows neither
// account nor webhook, but is the smallest: most attempts succeed.
func (f *DeliveryFilter) narrowFailed(n *narrowing, account uuid.UUID) {
	n.failed = true
	n.from("a.error = ?", f.Error)
	n.ask("d.account_id = ?", account)
	f.askWebhook(n)
	if f.Code == 0 {
		f.Error = ""
	}
}

// chooseBase moves into the base what an index of statuses or event types
// answers, and clears it from the filter.
func (s *Store) chooseBase(n *narrowing, f *DeliveryFilter) {
	status, webhook := Status(-1), f.WebhookID != uuid.Nil
	if f.Held {
		status = Pending
	} else if len(f.Status) == 1 {
		status = f.Status[0]
	}
	switch {
	case status == Processing: // few enough to be sorted
		n.from("d.id IN (SELECT id FROM deliveries WHERE status = 1)")
		f.Status = nil
	case status == Pending || status == Failed || status == Dead:
		n.from("d.status = ?", status)
		f.Status = nil
	case f.Event != "" && !strings.HasSuffix(f.Event, "*") && !webhook:
		n.from("d.event_type = ?", f.Event)
		n.table = s.d.indexed("deliveries AS d", "deliveries_type")
		f.Event = ""
	}
}

// askWebhook asks for the webhook where the base is another.
func (f *DeliveryFilter) askWebhook(n *narrowing) {
	if f.WebhookID != uuid.Nil {
		n.ask("d.webhook_id = ?", f.WebhookID)
	}
}

// bound bounds the ids of a table by the time they carry. Where roughly will do,
// as in counts, that is all: an index alone answers it.
func (n *narrowing) bound(table string, from, to time.Time, roughly bool) {
	slack := idSlack
	if roughly {
		slack = 0
	}
	one := func(at time.Time, is string, bound func(uuid.UUID), slack time.Duration) {
		switch {
		case at.IsZero():
			return
		case n.byTime:
			n.from(table+".created_at "+is+" ?", micros(at))
			return
		case !roughly:
			n.ask(table+".created_at "+is+" ?", micros(at))
		}
		bound(idAt(at.Add(slack)))
	}
	one(from, ">=", n.ids.begin, -slack)
	one(to, "<", n.ids.end, slack)
}

func (s *Store) askRest(n *narrowing, f *DeliveryFilter) {
	if len(f.Status) > 0 {
		n.ask("d.status IN (?)", bun.List(f.Status))
	}
	if f.Held {
		n.ask("d.status = ? AND EXISTS (SELECT 1 FROM queues h WHERE h.id = d.queue_id AND (h.paused OR h.probing OR d.next_attempt_at <= "+s.nowSQL()+"))", Pending)
	}
	f.askOutcome(n)
	// As a value, lest the index of types give the rows and not the base's.
	const eventType = "coalesce(d.event_type, '')"
	if !n.askGroup(eventType, f.Event) && f.Event != "" {
		n.ask(eventType+" = ?", f.Event)
	}
	if f.AgentID != "" {
		n.ask("d.agent_id = ?", f.AgentID)
	}
	if f.NoTests {
		n.ask("NOT d.test")
	}
}

// askOutcome asks for an attempt, the last one or any before it, that came to
// the failure kind and the status code. Most deliveries have one attempt, which
// they tell of themselves.
func (f *DeliveryFilter) askOutcome(n *narrowing) {
	var last, some []string
	var args []any
	if f.Error != "" {
		last, some, args = append(last, "d.last_error = ?"), append(some, " AND a.error = ?"), append(args, f.Error)
	}
	if f.Code != 0 {
		last, some, args = append(last, "d.last_status_code = ?"), append(some, " AND a.status_code = ?"), append(args, f.Code)
	}
	if len(last) == 0 {
		return
	}
	// A value, not EXISTS, which might be made a join with all attempts.
	n.ask("("+strings.Join(last, " AND ")+" OR d.attempts > 1 AND (SELECT 1 FROM attempts a WHERE a.delivery_id = d.id"+strings.Join(some, "")+" LIMIT 1) = 1)",
		slices.Concat(args, args)...)
}
