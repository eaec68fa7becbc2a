package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Publication is what one call publishes, all or nothing.
type Publication struct {
	AccountID uuid.UUID
	Events    []NewEvent
	// Batch says that the caller sent a list, so that errors name the index.
	Batch bool
	// IdempotencyKey makes the same call again give the same answer; empty: none.
	IdempotencyKey string
}

// Accepted is the answer to one event published.
type Accepted struct {
	ID         uuid.UUID `json:"id"`
	Event      string    `json:"event"`
	Deliveries int       `json:"deliveries"`
}

// Publish keeps the events and all their deliveries in one durable commit,
// shared with whatever else is published at that moment. replayed says that
// the answer is that of an earlier call with the same idempotency key.
func (s *Store) Publish(ctx context.Context, p Publication) (accepted []Accepted, replayed bool, err error) {
	if err := p.check(s.opt.Limits); err != nil {
		return nil, false, err
	}
	if s.full.Load() {
		return nil, false, &Error{Code: CodeFull, Detail: "the database has reached its size limit and nothing finished is left to remove; ask your operator for more room"}
	}
	call := &publishCall{ctx: ctx, Publication: p, requestHash: p.hash(), came: time.Now(), done: make(chan struct{})}
	select {
	case s.pub.calls <- call:
	case <-s.pub.done:
		return nil, false, errClosed()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	select {
	case <-call.done:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	case <-s.pub.done:
		// A call that came too late to be seen is answered by nobody else; one
		// that was seen has its answer by now.
		select {
		case <-call.done:
		default:
			return nil, false, errClosed()
		}
	}
	return call.accepted, call.replayed, s.wrap(call.err)
}

func errClosed() *Error {
	return &Error{Code: CodeUnavailable, Detail: "Belfry is shutting down; try again in a moment"}
}

func (p *Publication) check(limits Limits) error {
	var bad faults
	if len(p.IdempotencyKey) > 255 || !visibleASCII(p.IdempotencyKey) {
		bad.add("Idempotency-Key", "an idempotency key has at most 255 visible ASCII characters")
	}
	if len(p.Events) == 0 || len(p.Events) > limits.BatchEvents {
		bad.add("", fmt.Sprintf("a batch has 1 to %d events", limits.BatchEvents))
	}
	if err := bad.err(); err != nil {
		return err
	}
	for i := range p.Events {
		field := ""
		if p.Batch {
			field = fmt.Sprintf("[%d].", i)
		}
		if p.Events[i].check(limits, field, &bad) {
			return p.Events[i].tooLarge(limits, field)
		}
	}
	return bad.err()
}

func visibleASCII(text string) bool {
	for _, c := range []byte(text) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

type publishCall struct {
	Publication
	ctx         context.Context // of the caller
	requestHash []byte          // tells the same request from another one under the same key
	came        time.Time
	// wants is how many deliveries it brings to each queue, perSecond how many
	// its account may have.
	wants     map[uuid.UUID]int
	perSecond int

	accepted []Accepted
	replayed bool
	err      error
	done     chan struct{}
}

// publisher lets concurrent callers share a commit: each takes what gathered
// during the last one, and never waits for company.
type publisher struct {
	s     *Store
	calls chan *publishCall
	came  arrivals
	done  chan struct{}
}

// maxShared is with how many events a commit takes no further call, so that it
// stays short: what was delivered is recorded between two of them.
const maxShared = 128

func newPublisher(s *Store) *publisher {
	return &publisher{
		s: s, calls: make(chan *publishCall, 4096), done: make(chan struct{}),
		came: arrivals{look: s.lookUp, behind: map[uuid.UUID]bool{}},
	}
}

func (p *publisher) run(ctx context.Context) {
	defer p.drain()
	defer close(p.done)
	for {
		calls := p.next(ctx)
		if len(calls) == 0 {
			return
		}
		p.commit(ctx, calls)
		for _, c := range calls {
			close(c.done)
		}
	}
}

// next gives the calls of the next commit; none once ctx has ended.
func (p *publisher) next(ctx context.Context) []*publishCall {
	for {
		p.gather()
		if calls := p.came.ready(time.Now(), p.s.rooms()); len(calls) > 0 {
			return calls
		}
		var look <-chan time.Time
		if len(p.came.calls) > 0 {
			look = time.After(roomLook)
		}
		select {
		case <-ctx.Done():
			return nil
		case c := <-p.calls:
			p.came.calls = append(p.came.calls, c)
		case <-look:
		}
	}
}

// gather takes the calls that came.
func (p *publisher) gather() {
	for len(p.came.calls) < cap(p.calls) {
		select {
		case c := <-p.calls:
			p.came.calls = append(p.came.calls, c)
		default:
			return
		}
	}
}

// drain answers the calls that came too late.
func (p *publisher) drain() {
	for {
		select {
		case c := <-p.calls:
			c.err = errClosed()
			close(c.done)
		default:
			return
		}
	}
}

// errAlone asks for the same transaction with the accounts locked.
var errAlone = errors.New("the accounts must be locked for this")

// commit publishes beside what others do with the accounts. Where that shows to
// be too little, or another node was quicker with the same idempotency key, it
// locks them.
func (p *publisher) commit(ctx context.Context, calls []*publishCall) {
	err := p.write(ctx, calls, p.s.d.oneNode())
	if errors.Is(err, errAlone) || p.s.d.isDuplicate(err) {
		err = p.write(ctx, calls, true)
	}
	if err == nil {
		return
	}
	for _, c := range calls {
		c.accepted, c.err = nil, err
	}
}

func (p *publisher) write(ctx context.Context, calls []*publishCall, alone bool) error {
	var f *fanout
	err := p.s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		if f != nil {
			f.release()
		}
		var err error
		f, err = p.s.writeCalls(ctx, tx, calls, alone)
		if err != nil {
			return nil, err
		}
		return f.changes, f.write(ctx, tx)
	})
	switch {
	case err == nil:
		f.deliver()
	case f != nil:
		f.release()
	}
	return err
}

// writeCalls fans out what the calls publish. A call that is refused has its
// error set and adds nothing; an error returned concerns all.
func (s *Store) writeCalls(ctx context.Context, tx bun.Tx, calls []*publishCall, alone bool) (*fanout, error) {
	ids := map[uuid.UUID]bool{}
	for _, c := range calls {
		c.accepted, c.replayed, c.err = nil, false, nil
		ids[c.AccountID] = true
	}
	accounts := sortedKeys(ids, compareIDs)
	if err := s.d.enter(ctx, tx, accounts, alone); err != nil {
		return nil, err
	}
	queues, err := s.askQueues(ctx, tx, s.selectQueues("account_id"), accounts)
	if err != nil {
		return nil, err
	}
	answers, err := s.answersOf(ctx, tx, calls)
	if err != nil {
		return nil, err
	}
	states, err := s.statesOf(ctx, tx, accounts)
	if err != nil {
		return nil, err
	}
	f := s.newFanout(0, states)
	f.queues = queues
	for _, a := range states {
		f.now = max(f.now, a.Now)
	}
	for _, c := range calls {
		if err := s.writeCall(ctx, tx, f, c, answers, alone); err != nil {
			return f, err
		}
	}
	return f, nil
}

func (s *Store) writeCall(ctx context.Context, tx bun.Tx, f *fanout, c *publishCall, answers map[callKey]*answerRow, alone bool) error {
	a := f.states[c.AccountID]
	if a == nil {
		c.err = notFound()
		return nil
	}
	if before := answers[c.key()]; before != nil {
		return c.replay(before)
	}
	if err := s.discoverTypes(ctx, tx, a, c.Events, alone); err != nil {
		var refused *Error
		if errors.As(err, &refused) {
			c.err = err
			return nil
		}
		return err
	}
	for _, e := range c.Events {
		id, n := f.event(a, e)
		c.accepted = append(c.accepted, Accepted{id, e.Type, n})
	}
	f.changes = append(f.changes, Change{Kind: ChangeEvent, AccountID: a.AccountID, ID: c.accepted[0].ID})
	if c.IdempotencyKey != "" {
		answers[c.key()] = &answerRow{c.key(), c.requestHash, []byte(jsonText(c.accepted))}
		f.answers = append(f.answers, answers[c.key()])
	}
	return nil
}

// discoverTypes registers types that nobody has named before, which counts them.
func (s *Store) discoverTypes(ctx context.Context, tx bun.Tx, a *accountState, events []NewEvent, alone bool) error {
	var names []string
	for _, e := range events {
		if !a.desk.types[e.Type] {
			names = append(names, e.Type)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if !alone {
		return errAlone
	}
	if err := s.discover(ctx, tx, a.AccountID, names, a.desk.account.Limits.EventTypes); err != nil {
		return err
	}
	return bump(ctx, tx, a.AccountID)
}
