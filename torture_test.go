package main

import (
	"flag"
	"sync"
	"testing"

	"belfry/store/storetest"
)

// torture makes the tests of the worst day as long as `make torture` wants them.
var torture = flag.Bool("torture", false, "run the tests of the worst day in their long form")

// sized gives the size that a test of the worst day has in the form that runs.
func sized[T any](short, long T) T {
	if *torture {
		return long
	}
	return short
}

// eachAtOnce runs f on both databases side by side: tests of the worst day
// wait most of their time.
func eachAtOnce(t *testing.T, f func(t *testing.T, db storetest.Database)) {
	t.Parallel()
	var both sync.WaitGroup
	both.Go(func() { t.Run(storetest.KindSQLite, func(t *testing.T) { f(t, storetest.SQLite(t)) }) })
	both.Go(func() { t.Run(storetest.KindPostgres, func(t *testing.T) { f(t, storetest.Postgres(t)) }) })
	both.Wait()
}

// eachMeasured runs f on both databases: one after the other in the long form,
// where times are held against each other.
func eachMeasured(t *testing.T, f func(t *testing.T, db storetest.Database)) {
	if *torture {
		storetest.Each(t, f)
		return
	}
	eachAtOnce(t, f)
}
