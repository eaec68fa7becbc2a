package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// books are what the database says, read past the program.
type books struct {
	t       *testing.T
	store   *store.Store
	account uuid.UUID
}

func openBooks(t *testing.T, db storetest.Database) *books {
	t.Helper()
	return booksOf(t, openTestStore(t, db))
}

func booksOf(t *testing.T, st *store.Store) *books {
	t.Helper()
	account, err := st.EnsureDefaultAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &books{t: t, store: st, account: account.ID}
}

// leftUnderWay gives the deliveries that a killed process was busy with. An
// SQLite file is looked at as a copy, so that the next process has to bring the
// killed one's file in order by itself.
func leftUnderWay(t *testing.T, db storetest.Database) (left []string) {
	t.Helper()
	if db.Kind == storetest.KindSQLite {
		db.Dir = copyOfDatabase(t, db.Dir)
	}
	opt := store.Options{DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: testKey}
	st, err := store.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, d := range booksOf(t, st).deliveries(store.DeliveryFilter{Status: []store.Status{store.Processing}}) {
		left = append(left, d.ID.String())
	}
	return left
}

func copyOfDatabase(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"belfry.db", "belfry.db-wal"} {
		from, err := os.Open(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		copied, err := os.Create(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		defer copied.Close()
		if _, err := io.Copy(copied, from); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// settle waits until nothing is pending or under way: what was under way at a
// kill is sent again though it has arrived.
func (b *books) settle(explain func() string) {
	b.t.Helper()
	look, limit := time.NewTicker(50*time.Millisecond), time.After(soon)
	defer look.Stop()
	for {
		sum := b.total()
		if sum.Pending+sum.Processing == 0 {
			return
		}
		select {
		case <-look.C: // the bell does not ring here for what an SQLite process does
		case <-limit:
			b.t.Fatalf("not all comes to its end within %v: %+v\n%s", soon, sum, explain())
		}
	}
}

// total adds up the summaries of all webhooks.
func (b *books) total() (all store.Summary) {
	b.t.Helper()
	list, err := b.store.Webhooks(context.Background(), b.account)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, w := range list {
		sum := b.summary(w.ID)
		all.Pending, all.Processing, all.Delivered = all.Pending+sum.Pending, all.Processing+sum.Processing, all.Delivered+sum.Delivered
		all.Failed, all.Dead = all.Failed+sum.Failed, all.Dead+sum.Dead
	}
	return all
}

// deliveries reads all that match, page by page.
func (b *books) deliveries(f store.DeliveryFilter) (all []store.Delivery) {
	b.t.Helper()
	for f.Limit = 100; ; {
		page, more, err := b.store.Deliveries(context.Background(), b.account, f)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, page...)
		if !more {
			return all
		}
		f.Before = page[len(page)-1].ID
	}
}

// balance checks that counts and rows say the same once everything has settled:
// all is delivered, nothing is leased, and summary, tallies and attempts count
// what the tables hold. It gives the attempts by what came of them.
func (b *books) balance() (kinds map[string]int) {
	b.t.Helper()
	kinds = map[string]int{}
	list, err := b.store.Overviews(context.Background(), b.account)
	if err != nil || len(list) == 0 {
		b.t.Fatalf("webhooks: %v (%v)", list, err)
	}
	for _, w := range list {
		own := b.attempts(w.ID)
		if got := b.rows(w.ID); got != w.Summary {
			b.t.Errorf("%s: the summary says %+v, the rows %+v", w.URL, w.Summary, got)
		}
		if w.Summary.Delivered != w.Summary.Total() {
			b.t.Errorf("%s: not all is delivered: %+v", w.URL, w.Summary)
		}
		failed := -own[""] - own[store.KindInterrupted] // which say nothing of the endpoint
		for _, n := range own {
			failed += n
		}
		if w.OK != int64(own[""]) || w.Failed != int64(failed) {
			b.t.Errorf("%s: the tallies have %d successes and %d failures, the log %v", w.URL, w.OK, w.Failed, own)
		}
		for kind, n := range own {
			kinds[kind] += n
		}
	}
	return kinds
}

// summary is what the counts say of one webhook.
func (b *books) summary(webhook uuid.UUID) store.Summary {
	b.t.Helper()
	sum, err := b.store.Summary(context.Background(), b.account, webhook)
	if err != nil {
		b.t.Fatal(err)
	}
	return sum
}

// rows counts the deliveries of a webhook as they stand.
func (b *books) rows(webhook uuid.UUID) (sum store.Summary) {
	b.t.Helper()
	for status, n := range map[store.Status]*int64{
		store.Pending: &sum.Pending, store.Processing: &sum.Processing,
		store.Delivered: &sum.Delivered, store.Failed: &sum.Failed, store.Dead: &sum.Dead,
	} {
		f := store.DeliveryFilter{WebhookID: webhook, NoTests: true, Status: []store.Status{status}}
		count, err := b.store.CountDeliveries(context.Background(), b.account, f, 10_000_000)
		if err != nil {
			b.t.Fatal(err)
		}
		*n = int64(count)
	}
	return sum
}

// attempts counts the attempts that the log holds of a webhook, by failure kind.
func (b *books) attempts(webhook uuid.UUID) map[string]int {
	b.t.Helper()
	kinds := map[string]int{}
	for _, d := range b.deliveries(store.DeliveryFilter{WebhookID: webhook, NoTests: true}) {
		if d.Attempts == 1 && d.Status == store.Delivered {
			kinds[""]++
			continue
		}
		log, err := b.store.Attempts(context.Background(), b.account, d.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(log) != d.Attempts {
			b.t.Errorf("delivery %s counts %d attempts and logs %d", d.ID, d.Attempts, len(log))
		}
		for i, a := range log {
			if a.Number != i+1 {
				b.t.Errorf("delivery %s: attempt %d is number %d", d.ID, i+1, a.Number)
			}
			kinds[a.Error]++
		}
	}
	return kinds
}
