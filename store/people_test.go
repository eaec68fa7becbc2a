package store_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

const goodPassword = "correct horse battery"

// testKey is the secret key of every store in these tests.
var testKey = strings.Repeat("k", 32)

// freshStore opens and migrates a store on db, closed when the test ends.
func freshStore(t *testing.T, db storetest.Database, change ...func(*store.Options)) *store.Store {
	t.Helper()
	opt := store.Options{DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: testKey, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&opt)
	}
	s, err := store.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// onEach runs f with a fresh store and its default account on both databases.
func onEach(t *testing.T, f func(t *testing.T, ctx context.Context, s *store.Store, a store.Account)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		s := freshStore(t, db)
		f(t, t.Context(), s, defaultAccount(t, s))
	})
}

func defaultAccount(t *testing.T, s *store.Store) store.Account {
	t.Helper()
	a, err := s.EnsureDefaultAccount(t.Context())
	must(t, err)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code store.Code) {
	t.Helper()
	if !store.IsCode(err, code) {
		t.Errorf("got error %v, want code %s", err, code)
	}
}

// wantFields says that err names these fields, in order.
func wantFields(t *testing.T, err error, fields ...string) {
	t.Helper()
	wantCode(t, err, store.CodeInvalid)
	var e *store.Error
	if !errors.As(err, &e) {
		return
	}
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Field)
	}
	if strings.Join(got, " ") != strings.Join(fields, " ") {
		t.Errorf("got faults in %v, want %v: %v", got, fields, err)
	}
}

func addUser(t *testing.T, s *store.Store, a store.Account, email string, role store.Role) store.User {
	t.Helper()
	u, err := s.AddUser(t.Context(), a.ID, email, role, goodPassword)
	must(t, err)
	return u
}

// atOnce calls f n times at the same time and gives what each call said.
func atOnce(n int, f func(i int) error) []error {
	errs := make(chan error, n)
	start := make(chan struct{})
	for i := range n {
		go func() { <-start; errs <- f(i) }()
	}
	close(start)
	all := make([]error, n)
	for i := range all {
		all[i] = <-errs
	}
	return all
}

func count(errs []error, is func(error) bool) int {
	n := 0
	for _, err := range errs {
		if is(err) {
			n++
		}
	}
	return n
}

func isNil(err error) bool { return err == nil }

// frozen is a clock for Options.Now that stands until it is moved.
type frozen struct{ us atomic.Int64 }

func startClock() *frozen {
	var f frozen
	f.us.Store(time.Now().UnixMicro())
	return &f
}

func (f *frozen) now() time.Time      { return time.UnixMicro(f.us.Load()) }
func (f *frozen) add(d time.Duration) { f.us.Add(d.Microseconds()) }
