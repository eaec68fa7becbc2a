package main

import (
	"database/sql"
	"testing"
	"time"

	"belfry/store/storetest"
)

func TestWorstDayConnectionsAreCutAndNothingIsLost(t *testing.T) {
	t.Parallel()
	d := newWorstDay(t, storetest.Postgres(t), []string{steadyHook, slowHook, flakyHook}, nil)
	r := d.begin()
	admin, err := sql.Open("pgx", d.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	cut := 0
	for range sized(5, 100) {
		d.goesOn()
		d.pause(100 * time.Millisecond)
		var n int
		err := admin.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'belfry' AND pid <> pg_backend_pid()`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		cut += n
	}
	if cut == 0 {
		t.Error("there was no connection to be cut")
	}
	d.goesOn()
	d.reckon(r)
}
