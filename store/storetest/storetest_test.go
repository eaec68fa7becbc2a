package storetest_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"belfry/store/storetest"
)

func TestPostgresGivesEveryTestItsOwnDatabase(t *testing.T) {
	first, second := open(t, storetest.Postgres(t)), open(t, storetest.Postgres(t))
	if _, err := first.Exec("CREATE TABLE mine (n int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exec("SELECT n FROM mine"); err == nil {
		t.Error("a table made in one test's database is seen in another's")
	}
}

func TestSQLiteIsMigratedAndNoDatabaseIsNot(t *testing.T) {
	for db, want := range map[storetest.Database]int{storetest.SQLite(t): 1, storetest.NoDatabase(t): 0} {
		file, err := sql.Open("sqlite", filepath.Join(db.Dir, "belfry.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		var tables int
		if err := file.QueryRow("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'webhooks'").Scan(&tables); err != nil {
			t.Fatal(err)
		}
		if tables != want {
			t.Errorf("%d tables webhooks, want %d", tables, want)
		}
	}
}

func TestPostgresIsMigrated(t *testing.T) {
	db := open(t, storetest.Postgres(t))
	var tables int
	if err := db.QueryRow("SELECT count(*) FROM information_schema.tables WHERE table_name = 'webhooks'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables != 1 {
		t.Error("a fresh database has no table webhooks")
	}
}

func TestADatabaseWhoseTestEndedIsEmptiedForAnotherOrDropped(t *testing.T) {
	for name, change := range map[string]string{
		"rows":    "INSERT INTO accounts (id, name, created_at) VALUES (gen_random_uuid(), 'one', 1)",
		"a table": "CREATE TABLE mine (n int)",
		"a plan":  "INSERT INTO accounts (id, name, created_at) VALUES (gen_random_uuid(), 'one', 1); ANALYZE accounts",
		"version": "DELETE FROM goose_db_version WHERE version_id > 1",
		"much":    "INSERT INTO accounts (id, name, created_at) SELECT gen_random_uuid(), repeat('x', 200) || n, 1 FROM generate_series(1, 3000) AS n",
	} {
		var left storetest.Database
		t.Run(name, func(t *testing.T) {
			left = storetest.Postgres(t)
			if _, err := open(t, left).Exec(change); err != nil {
				t.Fatal(err)
			}
		})
		after := open(t, storetest.Postgres(t))
		for range 10 { // those of other tests may come first
			if unreachable(t, left) {
				break
			}
			after = open(t, storetest.Postgres(t))
		}
		if !unreachable(t, left) {
			t.Errorf("%s: it still goes by its name", name)
		}
		var accounts, tables, analyzed, versions int
		err := after.QueryRow(`SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM pg_tables WHERE tablename = 'mine'),
			(SELECT count(*) FROM pg_stats WHERE tablename = 'accounts'), (SELECT count(*) FROM goose_db_version)`).Scan(&accounts, &tables, &analyzed, &versions)
		if err != nil || accounts+tables+analyzed > 0 || versions < 3 {
			t.Errorf("%s: the next test finds %d accounts, %d tables of others, %d statistics, %d migrations (%v)", name, accounts, tables, analyzed, versions, err)
		}
	}
}

// unreachable says that no database goes by this name any more.
func unreachable(t *testing.T, database storetest.Database) bool {
	t.Helper()
	db, err := sql.Open("pgx", database.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Ping()
	return err != nil && strings.Contains(err.Error(), "does not exist")
}

func TestPostgresKeepsTheCommitSettingThatDoctorReadsBack(t *testing.T) {
	db := open(t, storetest.Postgres(t))
	var got string
	if err := db.QueryRow("SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
		t.Errorf("synchronous_commit is %q (%v), want on", got, err)
	}
}

func TestDurablePostgresWaitsForTheDisk(t *testing.T) {
	for _, tt := range []struct {
		db    storetest.Database
		fsync string
	}{{storetest.DurablePostgres(t), "on"}, {storetest.Postgres(t), "off"}} {
		var got string
		if err := open(t, tt.db).QueryRow("SHOW fsync").Scan(&got); err != nil || got != tt.fsync {
			t.Errorf("fsync is %q (%v), want %s", got, err, tt.fsync)
		}
	}
}

func TestEachRunsOnBothKinds(t *testing.T) {
	var kinds []string
	storetest.Each(t, func(t *testing.T, db storetest.Database) { kinds = append(kinds, db.Kind) })
	if got := strings.Join(kinds, " "); got != "sqlite postgres" {
		t.Errorf("Each ran on %q, want sqlite and postgres", got)
	}
}

// childEnv makes the test below, run as a child, tell where its cluster lives
// and then die without any clean-up.
const childEnv = "BELFRY_STORETEST_CHILD"

func TestPostgresEndsWithItsProcess(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		tellAndDie(t)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPostgresEndsWithItsProcess$")
	child.Env = append(os.Environ(), childEnv+"=1")
	out, err := child.Output()
	if err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself (%v), want it killed; it said:\n%s", err, out)
	}
	dir := strings.TrimSpace(string(out))
	if !strings.HasPrefix(filepath.Base(dir), "belfry-pg-") {
		t.Fatalf("the child told %q, want its cluster's folder", dir)
	}
	waitUntilGone(t, dir)
}

// tellAndDie starts a cluster, writes its folder to standard output and kills
// this process the hard way.
func tellAndDie(t *testing.T) {
	u, err := url.Parse(storetest.Postgres(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(u.Query().Get("host"))
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {}
}

// waitUntilGone looks until the folder no longer exists; nothing else of a
// process that we did not start ourselves could tell.
func waitUntilGone(t *testing.T, dir string) {
	t.Helper()
	look, limit := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
	defer look.Stop()
	for {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("the folder %s is still there long after its process was killed", dir)
		}
	}
}

// open connects to a test's Postgres database until the test ends.
func open(t *testing.T, database storetest.Database) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", database.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestAnOwnServerIsStoppedAndStartedByItsTestAndKeepsWhatItHas(t *testing.T) {
	own := storetest.OwnPostgres(t, "")
	db := open(t, own.Database)
	if _, err := db.Exec("CREATE TABLE kept (n int)"); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(){"stopped": own.Stop, "crashed": own.Crash} {
		end()
		if err := db.Ping(); err == nil {
			t.Errorf("a server that was %s still answers", name)
		}
		own.Start()
		if _, err := db.Exec("INSERT INTO kept VALUES (1)"); err != nil {
			t.Errorf("after it was %s and started: %v", name, err)
		}
	}
}
