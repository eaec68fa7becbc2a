package store

import (
	"context"

	"belfry/store/uuid"
)

// neighbourRows is how many rows are looked at for a delivery's neighbour in a
// list that no index answers: a page of one delivery stays as fast as without.
const neighbourRows = 600

// Neighbour is what stands next to a delivery in a filtered list.
type Neighbour struct {
	// ID is that delivery; zero: the list ends here, or Searched is set.
	ID uuid.UUID
	// Searched is how far was looked where none was found so near; the list
	// from there on may hold one.
	Searched uuid.UUID
}

// Neighbours finds the deliveries next to one in the account's list that the
// filter gives, newer and older. The one itself need not match any more, and
// the filter's own cursor, limit and offset don't count.
func (s *Store) Neighbours(ctx context.Context, account uuid.UUID, f DeliveryFilter, id uuid.UUID) (newer, older Neighbour, err error) {
	err = s.inTurn(ctx, account, func() error {
		n, err := s.narrow(ctx, account, f)
		if err == nil {
			newer, err = s.neighbour(ctx, n, id, true)
		}
		if err == nil {
			older, err = s.neighbour(ctx, n, id, false)
		}
		return err
	})
	return newer, older, err
}

// neighbour finds the next in one direction: back leads to the newer one.
func (s *Store) neighbour(ctx context.Context, n narrowing, id uuid.UUID, back bool) (Neighbour, error) {
	w := &search[deliveryRow]{s: s, narrowing: n, without: []string{"secret"}, back: back, at: id, wanted: 1, most: neighbourRows}
	var err error
	if len(n.rest) == 0 {
		err = w.read(ctx, 0, 1, uuid.Nil)
	} else {
		err = w.run(ctx)
	}
	switch {
	case err != nil:
		return Neighbour{}, err
	case len(w.rows) > 0:
		return Neighbour{ID: w.rows[0].ID}, nil
	case len(n.rest) > 0 && !w.ended:
		return Neighbour{Searched: w.at}, nil
	}
	return Neighbour{}, nil
}
