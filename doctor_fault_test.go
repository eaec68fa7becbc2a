package main

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// furnished is a database with an account, a webhook with a secret and two
// deliveries that nobody has begun.
func furnished(t *testing.T, db storetest.Database) map[string]string {
	t.Helper()
	environment := migrated(t, db)
	environment["BELFRY_ADDR"] = "127.0.0.1:0"
	st := openTestStore(t, db)
	account, err := st.EnsureDefaultAccount(t.Context())
	if err == nil {
		_, _, _, err = st.CreateWebhook(t.Context(), account.ID, store.NewWebhook{URL: "https://8.8.8.8/", Active: true})
	}
	if err == nil {
		event := store.NewEvent{Type: "call.ended", Data: []byte(`{}`)}
		_, _, err = st.Publish(t.Context(), store.Publication{AccountID: account.ID, Events: []store.NewEvent{event, event}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return environment
}

// plant changes the database behind the store's back.
func plant(t *testing.T, db storetest.Database, query string) {
	t.Helper()
	if _, err := storetest.Raw(t, db).Exec(query); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorFindsEachPlantedFault breaks what a database holds in one way after
// the other, each time in a database that was well.
func TestDoctorFindsEachPlantedFault(t *testing.T) {
	for _, tt := range []struct{ name, check, says, query string }{
		{"a secret of another key", "secrets", "1 of 1 secrets", "UPDATE webhooks SET secret = (SELECT data FROM events LIMIT 1)"},
		{"a delivery that is gone", "orphans", "1 missing", "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 1)"},
		{"a lease of nobody", "orphans", "2 under way for no node", "UPDATE deliveries SET status = 1"},
		{"a queue that does not know", "orphans", "2 unknown to their queue", "UPDATE queues SET due_at = NULL"},
		{"counts that are wrong", "counts", "its counts say 7 pending", "UPDATE queues SET pending = 7 WHERE webhook_id IS NOT NULL"},
		{"tests that are miscounted", "counts", "its counts say 3 pending", "UPDATE queues SET pending = 3 WHERE webhook_id IS NULL"},
		{"migrations of a newer version", "schema", "a newer Belfry made it so", "UPDATE goose_db_version SET version_id = version_id + 1000"},
		{"migrations that were undone", "schema", "never migrated", "DROP TABLE goose_db_version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			storetest.EachDurable(t, func(t *testing.T, db storetest.Database) {
				environment := furnished(t, db)
				if code, results := examined(t, environment); code != 0 {
					t.Fatalf("before anything was broken: exit code %d, %q", code, results)
				}
				plant(t, db, tt.query)
				code, results := examined(t, environment)
				if code != 1 || !strings.HasPrefix(results[tt.check], "FAULT") || !strings.Contains(results[tt.check], tt.says) {
					t.Errorf("exit code %d, %s: %q; want 1 and a fault that says %q", code, tt.check, results[tt.check], tt.says)
				}
			})
		})
	}
}

func TestDoctorFindsCommitsThatAreNotSafe(t *testing.T) {
	hasty, durable := storetest.Postgres(t), storetest.DurablePostgres(t)
	for _, tt := range []struct {
		db      storetest.Database
		more    string // to the database's address
		says    []string
		saysNot string
	}{
		{durable, "&synchronous_commit=off", []string{"synchronous_commit=off"}, "fsync"},
		{hasty, "", []string{"fsync=off", "full_page_writes=off", "power cut"}, "synchronous_commit"},
	} {
		environment := maps.Clone(migrated(t, tt.db))
		environment["BELFRY_ADDR"] = "127.0.0.1:0"
		environment["BELFRY_DATABASE_URL"] += tt.more
		code, results := examined(t, environment)
		found := results["durability"]
		if code != 1 || !strings.HasPrefix(found, "FAULT") || strings.Contains(found, tt.saysNot) {
			t.Errorf("exit code %d, durability: %q; want 1 and a fault without %s", code, found, tt.saysNot)
		}
		for _, says := range tt.says {
			if !strings.Contains(found, says) {
				t.Errorf("durability: %q, want a fault that says %q", found, says)
			}
		}
	}
}

func TestServeWarnsOfCommitsThatAreNotSafeAndServes(t *testing.T) {
	const warning = "accepted events may be lost"
	for db, unsafe := range map[storetest.Database]bool{storetest.Postgres(t): true, storetest.DurablePostgres(t): false, storetest.SQLite(t): false} {
		r := boot(t, environmentFor(db), "-addr", "127.0.0.1:0")
		if r.stop(); strings.Contains(r.log.String(), warning) != unsafe {
			t.Errorf("%s %s: want a warning: %v; it logged:\n%s", db.Kind, db.URL, unsafe, r.log)
		}
	}
}

func TestDoctorFindsADatabaseOverItsBudget(t *testing.T) {
	db := storetest.SQLite(t)
	environment := migrated(t, db)
	environment["BELFRY_ADDR"], environment["BELFRY_MAX_DB_SIZE"] = "127.0.0.1:0", "10MiB"
	if code, results := examined(t, environment); code != 0 || !strings.Contains(results["size"], "of 10.5 MB") {
		t.Fatalf("exit code %d, size: %q; want that it is within its budget", code, results["size"])
	}
	plant(t, db, "INSERT INTO sessions (id_hash, data, created_at, expires_at) VALUES (x'00', zeroblob(20000000), 0, 0)")
	if code, results := examined(t, environment); code != 1 || !strings.HasPrefix(results["size"], "FAULT") || !strings.Contains(results["size"], "raise -max-db-size") {
		t.Errorf("exit code %d, size: %q", code, results["size"])
	}
}

// examinedBy lets a doctor that a test has changed examine a database.
func examinedBy(t *testing.T, environment map[string]string, change func(*doctor)) (ill bool, out string) {
	t.Helper()
	c := readConfig(map[string]string{"addr": "127.0.0.1:0"}, environmentOf(environment), allSettings)
	var text bytes.Buffer
	d := newDoctor(c, &text)
	change(d)
	d.examine(t.Context())
	return d.ill, text.String()
}

func TestDoctorNamesTheWebhooksThatItsSettingsRefuse(t *testing.T) {
	db := storetest.SQLite(t)
	environment := furnished(t, db)
	for _, tt := range []struct{ url, allow, says string }{
		{"https://8.8.8.8/", "", "ok nothing is listed: webhooks lead to public addresses by https; none of 1 active webhooks is refused. The server must have these settings, too"},
		{"http://127.0.0.1:9000/token", "127.0.0.1", "; none of 1 active webhooks is refused"},
		{"http://127.0.0.1:9000/token", "", "FAULT 1 of 1 active webhooks would be refused with these settings: "},
		{"http://127.0.0.1:9000/token", "", " (http://127.0.0.1:9000, account default). Give doctor the settings of the server, -allow-targets among them"},
		{"https://10.1.2.3/", "default=10.9.0.0/16", "FAULT 1 of 1 active webhooks"},
		{"https://localhost/token", "", "ok nothing is listed: webhooks lead to public addresses by https; 1 of 1 active webhooks would be refused where their names lead now: "},
		{"inbox:", "", "ok nothing is listed: webhooks lead to public addresses by https\n"},
	} {
		plant(t, db, "UPDATE webhooks SET url = '"+tt.url+"'")
		environment["BELFRY_ALLOW_TARGETS"] = tt.allow
		code, results := examined(t, environment)
		got := results["allow-targets"]
		if wrong := strings.HasPrefix(got, "FAULT"); wrong != (code == 1) || !strings.Contains(got, tt.says) || strings.Contains(got, "token") {
			t.Errorf("%s with %q: exit code %d, %q; want %q", tt.url, tt.allow, code, got, tt.says)
		}
	}
}

func TestDoctorFindsADiskThatIsAlmostFull(t *testing.T) {
	environment := migrated(t, storetest.SQLite(t))
	ill, out := examinedBy(t, environment, func(d *doctor) { d.minFree = 1 << 62 })
	if !ill || !strings.Contains(out, "FAULT  disk           only") {
		t.Errorf("a disk with less room than must be left:\n%s", out)
	}
}

func TestDoctorFindsClocksThatAreApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		for _, apart := range []time.Duration{time.Minute, -time.Minute} {
			ill, out := examinedBy(t, environment, func(d *doctor) { d.now = func() time.Time { return time.Now().Add(apart) } })
			if !ill || !strings.Contains(out, "FAULT  clock") || !strings.Contains(out, "set both by NTP") {
				t.Errorf("clocks %v apart:\n%s", apart, out)
			}
		}
	})
}
