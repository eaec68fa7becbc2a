package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"belfry/store/storetest"
)

func TestNothingIsSentAfterATransactionWasBrokenOff(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(t)
	s, err := Open(t.Context(), Options{DatabaseURL: db.URL, SecretKey: strings.Repeat("k", 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, breakOff := context.WithCancel(t.Context())
	err = s.d.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := s.clock(ctx, tx); err != nil {
			return err
		}
		breakOff()
		p := pipelineOf(ctx)
		for open := true; open; { // until database/sql has seen it
			p.mu.Lock()
			open = p.session.open != nil
			p.mu.Unlock()
		}
		if err := s.d.exec(ctx, tx, "INSERT INTO settings (name, value) VALUES ('late', '')"); err != nil {
			return err
		}
		return p.flush(context.WithoutCancel(ctx))
	})
	var late int
	if err := storetest.Raw(t, db).QueryRow("SELECT count(*) FROM settings WHERE name = 'late'").Scan(&late); err != nil {
		t.Fatal(err)
	}
	if late != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d rows written after the rollback; error %v, want that of the context", late, err)
	}
}
