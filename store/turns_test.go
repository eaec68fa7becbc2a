package store

import (
	"context"
	"errors"
	"testing"

	"belfry/store/uuid"
)

func TestAnAccountThatReadsManyListsMakesNobodyElseWait(t *testing.T) {
	lists, greedy, other := newTurns(), uuid.New(), uuid.New()
	take := func(ctx context.Context, account uuid.UUID) func() {
		t.Helper()
		done, err := lists.take(ctx, account)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	first := take(t.Context(), greedy)
	for range listsAtOnce - 1 {
		take(t.Context(), greedy)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := lists.take(gone, greedy); !errors.Is(err, context.Canceled) {
		t.Errorf("one list too many: %v", err)
	}
	take(t.Context(), other)()
	first()
	take(t.Context(), greedy)()
}
