package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/uptrace/bun"
)

// group lets the transactions of many callers share a commit on SQLite, which
// has one writer: each commit takes those that came during the last one, and
// never waits for company.
type group struct {
	s *Store

	mu      sync.Mutex
	waiting []*member
	leads   bool // somebody is committing
}

// member is one caller's transaction.
type member struct {
	ctx  context.Context
	fn   func(ctx context.Context, tx bun.Tx) error
	err  error
	done chan struct{} // closed once err stands
	lead chan struct{} // gets a token when it is this caller's turn to commit
}

// maxGroup is how many transactions share a commit.
const maxGroup = 16

// run returns once the commit that holds fn's changes is durable, or fn or the
// commit has failed; what fn did is undone then.
func (g *group) run(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	m := &member{ctx: ctx, fn: fn, done: make(chan struct{}), lead: make(chan struct{}, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	first := !g.leads
	g.leads = true
	g.mu.Unlock()
	if !first {
		select {
		case <-m.done:
			return m.err
		case <-m.lead:
		case <-ctx.Done():
			if g.remove(m) {
				return ctx.Err()
			}
			<-m.done // it is being committed
			return m.err
		}
	}
	defer g.pass()
	g.commit(g.take())
	return m.err
}

// remove takes out a transaction that has not begun; false where it has.
func (g *group) remove(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, m)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	select {
	case <-m.lead: // it was its turn
		g.passLocked()
	default:
	}
	return true
}

// take gives the transactions of the next commit; the caller's own is the first.
func (g *group) take() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), maxGroup)
	members := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return members
}

// pass lets the next one lead, if there is one.
func (g *group) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passLocked()
}

func (g *group) passLocked() {
	if g.leads = len(g.waiting) > 0; g.leads {
		g.waiting[0].lead <- struct{}{}
	}
}

// commit runs the members' transactions in one. Where that fails as a whole each
// gets one of its own, unless the database can't be written at all.
func (g *group) commit(members []*member) {
	defer func() {
		p := recover()
		for _, m := range members {
			if p != nil {
				m.err = fmt.Errorf("a transaction that shared the commit panicked: %v", p)
			}
			close(m.done)
		}
		if p != nil {
			panic(p)
		}
	}()
	err := g.share(members)
	if err == nil {
		return
	}
	alone := len(members) > 1 && !g.s.d.isUnavailable(err)
	for _, m := range members {
		if alone {
			err = g.share([]*member{m})
		}
		if err != nil {
			m.err = err
		}
	}
}

// errUndone ends a transaction of one member whose own error says why.
var errUndone = errors.New("undone")

// share commits what the members do; the error is one that concerns all. The
// transaction outlives each caller's ctx, which ends its own statements only.
func (g *group) share(members []*member) error {
	err := g.s.db.RunInTx(context.WithoutCancel(members[0].ctx), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, m := range members {
			if len(members) == 1 {
				if m.err = m.fn(m.ctx, tx); m.err != nil {
					return errUndone
				}
				return nil
			}
			if err := m.within(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return err
}

// within runs the member's part so that it alone is undone where it fails.
func (m *member) within(ctx context.Context, tx bun.Tx) error {
	if _, err := tx.Tx.ExecContext(ctx, "SAVEPOINT member"); err != nil {
		return err
	}
	if m.err = m.fn(m.ctx, tx); m.err != nil {
		if _, err := tx.Tx.ExecContext(ctx, "ROLLBACK TO member"); err != nil {
			return err
		}
	}
	_, err := tx.Tx.ExecContext(ctx, "RELEASE member")
	return err
}
