package store

import (
	"context"
	"sync"

	"belfry/store/uuid"
)

// listsAtOnce is how many lists of one account are read at once: half of the
// connections that read from SQLite.
const listsAtOnce = 2

// turns lets each account read a few lists at once. A list may go through all
// that an account has, so without turns one account could keep every connection
// busy, and everybody else waiting.
type turns struct {
	mu       sync.Mutex
	accounts map[uuid.UUID]chan struct{}
}

func newTurns() *turns { return &turns{accounts: map[uuid.UUID]chan struct{}{}} }

// take waits for the account's turn until ctx ends. done gives it back.
func (t *turns) take(ctx context.Context, account uuid.UUID) (done func(), err error) {
	t.mu.Lock()
	slots, ok := t.accounts[account]
	if !ok {
		slots = make(chan struct{}, listsAtOnce)
		t.accounts[account] = slots
	}
	t.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inTurn reads a list when it is the account's turn.
func (s *Store) inTurn(ctx context.Context, account uuid.UUID, read func() error) error {
	done, err := s.lists.take(ctx, account)
	if err != nil {
		return err
	}
	defer done()
	return s.wrap(read())
}
