package main

import (
	"database/sql"
	"syscall"
	"testing"
	"time"

	"belfry/store/storetest"
)

func TestWorstDayANodeThatFreezesInMidTransactionStopsNobody(t *testing.T) {
	t.Parallel()
	// Leases that leave a crowded machine some time once the locks are free.
	d := newWorstDay(t, storetest.Postgres(t), []string{steadyHook}, map[string]string{"BELFRY_TIMEOUT": "5s"})
	nodes := []*running{d.begin(), spawn(t, d.environment, "serve")}
	d.sender.to(nodes[0].url, nodes[1].url)
	for range sized(1, 5) {
		d.goesOn()
		d.freezeInTransaction(nodes[1])
		d.sender.to(nodes[0].url)
		d.goesOn() // at once, or when Postgres has ended the frozen transaction
		nodes[1].signal(syscall.SIGCONT)
		d.sender.to(nodes[0].url, nodes[1].url)
	}
	d.sender.to(nodes[0].url)
	if code := nodes[1].stop(); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, nodes[1].log)
	}
	d.reckon(nodes[0])
}

// freezeInTransaction stops the process at a moment at which it has begun a
// transaction and not ended it.
func (d *worstDay) freezeInTransaction(r *running) {
	d.t.Helper()
	admin, err := sql.Open("pgx", d.db.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	defer admin.Close()
	open := func(age string) (pids string) {
		err := admin.QueryRow(`SELECT coalesce(string_agg(pid::text, ' '), '') FROM pg_stat_activity
			WHERE datname = current_database() AND state = 'idle in transaction' AND state_change < clock_timestamp() - $1::interval`, age).Scan(&pids)
		if err != nil {
			d.t.Fatal(err)
		}
		return pids
	}
	d.until("the process is frozen in mid-transaction", func() bool {
		r.signal(syscall.SIGSTOP)
		d.noteLeft()
		if open("0") != "" {
			time.Sleep(200 * time.Millisecond) // longer than any transaction of a process that runs
			if open("150 milliseconds") != "" {
				d.noteLeft() // with what Postgres committed meanwhile
				return true
			}
		}
		r.signal(syscall.SIGCONT)
		return false
	})
}
