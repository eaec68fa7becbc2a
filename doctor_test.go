package main

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"belfry/store/storetest"
)

// examined runs doctor and gives its results by check: "ok", "FAULT" or "-",
// and the sentence behind it.
func examined(t *testing.T, environment map[string]string, args ...string) (code int, results map[string]string) {
	t.Helper()
	got := call(t, environment, "", append([]string{"doctor"}, args...)...)
	results = map[string]string{}
	for line := range strings.Lines(got.out) {
		if len(line) < 23 {
			t.Fatalf("doctor prints the line %q", line)
		}
		name := strings.TrimSpace(line[7:22])
		results[name] += strings.TrimSpace(line[:7]) + " " + line[22:]
	}
	return got.code, results
}

func TestDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	storetest.EachDurable(t, func(t *testing.T, db storetest.Database) {
		code, results := examined(t, migrated(t, db), "-addr", "127.0.0.1:0")
		if code != 0 {
			t.Errorf("exit code %d, want 0: %q", code, results)
		}
		for _, name := range []string{"settings", "data folder", "database", "schema", "secret key", "secrets", "durability", "clock", "orphans", "counts", "size", "allow-targets", "listening"} {
			if !strings.HasPrefix(results[name], "ok ") {
				t.Errorf("%s: %q, want ok", name, results[name])
			}
		}
		if !strings.Contains(results["orphans"], "0 orphaned") {
			t.Errorf("orphans: %q, want that 0 are", results["orphans"])
		}
	})
}

func TestDoctorChangesNothingBeforeTheFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	code, results := examined(t, nil, "-data-dir", dir, "-addr", "127.0.0.1:0")
	if code != 0 || !strings.HasPrefix(results["database"], "- ") {
		t.Errorf("exit code %d, database %q; want that it is not there yet", code, results["database"])
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("doctor made the data folder")
	}
}

func TestDoctorMakesNoKey(t *testing.T) {
	for state, dir := range map[string]string{"never migrated": folderWith(t, ""), "migrated": storetest.SQLite(t).Dir} {
		code, results := examined(t, nil, "-data-dir", dir, "-addr", "127.0.0.1:0")
		if wrong := state == "never migrated"; code == 0 == wrong || !strings.HasPrefix(results["secret key"], "- ") {
			t.Errorf("%s: exit code %d, secret key: %q; want that there is none to check", state, code, results["secret key"])
		}
		if left, err := filepath.Glob(filepath.Join(dir, "secret.key*")); err != nil || len(left) > 0 {
			t.Errorf("%s: doctor made %v (%v)", state, left, err)
		}
	}
}

func TestDoctorKnowsABelfryButNotWhich(t *testing.T) {
	environment := environmentFor(storetest.SQLite(t))
	r := boot(t, environment, "-addr", "127.0.0.1:0")
	code, results := examined(t, environment, "-addr", strings.TrimPrefix(r.url, "http://"))
	if code != 0 || !strings.Contains(results["listening"], "a Belfry is served on") || !strings.Contains(results["listening"], "whether it is this one is not checked") {
		t.Errorf("exit code %d, listening: %q; want that one is there, whichever", code, results["listening"])
	}
}

// TestDoctorNamesEachFault breaks one thing after the other.
func TestDoctorNamesEachFault(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	db := storetest.SQLite(t)
	well := migrated(t, db)
	well["BELFRY_ADDR"] = "127.0.0.1:0"
	for _, tt := range []struct {
		check, says string
		changed     map[string]string
	}{
		{"settings", "BELFRY_TIMEOUT", map[string]string{"BELFRY_TIMEOUT": "soon"}},
		{"settings", "BELFRY_RETRIES", map[string]string{"BELFRY_TIMEOUT": "soon", "BELFRY_RETRIES": "soon"}},
		{"data folder", "is not a folder", map[string]string{"BELFRY_DATA_DIR": filepath.Join(db.Dir, "belfry.db")}},
		{"secret key", "not the one", map[string]string{"BELFRY_SECRET_KEY": strings.Repeat("other", 8)}},
		{"schema", "never migrated", map[string]string{"BELFRY_DATA_DIR": folderWith(t, "")}},
		{"database", "put a backup back", map[string]string{"BELFRY_DATA_DIR": folderWith(t, "no database at all")}},
		{"database", "does not answer", map[string]string{"BELFRY_DATABASE_URL": "postgres://u:hunter2@127.0.0.1:1/none"}},
		{"allow-targets", `no account "acme"`, map[string]string{"BELFRY_ALLOW_TARGETS": "acme=10.0.0.0/8"}},
		{"listening", "another program", map[string]string{"BELFRY_ADDR": other.Addr().String()}},
		{"metrics", "another program", map[string]string{"BELFRY_METRICS_ADDR": other.Addr().String()}},
	} {
		environment := maps.Clone(well)
		maps.Copy(environment, tt.changed)
		code, results := examined(t, environment)
		if code != 1 || !strings.Contains(results[tt.check], "FAULT") || !strings.Contains(results[tt.check], tt.says) {
			t.Errorf("%v: exit code %d, %s: %q; want 1 and a fault that says %q", tt.changed, code, tt.check, results[tt.check], tt.says)
		}
		if said := strings.Join(slices.Collect(maps.Values(results)), ""); strings.Contains(said, "hunter2") {
			t.Errorf("doctor prints a password: %s", said)
		}
	}
}

// folderWith gives a data folder with these bytes for a database; none are one
// that was never migrated.
func folderWith(t *testing.T, database string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "belfry.db"), []byte(database), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDoctorFindsSecretsThatOthersMayRead(t *testing.T) {
	db := storetest.SQLite(t)
	environment := migrated(t, db)
	key := filepath.Join(db.Dir, "secret.key")
	if err := os.WriteFile(key, []byte(testKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(db.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if code, results := examined(t, environment, "-addr", "127.0.0.1:0"); code != 1 || !strings.Contains(results["data folder"], "others may read") {
		t.Errorf("exit code %d, data folder: %q", code, results["data folder"])
	}
}

func TestDoctorFindsAKeyFileThatOthersMayRead(t *testing.T) {
	db := storetest.SQLite(t)
	migrated(t, db)
	folder := t.TempDir()
	key := filepath.Join(folder, "key")
	if err := os.WriteFile(key, []byte(testKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file, folder os.FileMode
		code         int
	}{{0o600, 0o755, 0}, {0o640, 0o755, 0}, {0o644, 0o700, 0}, {0o644, 0o755, 1}} {
		if os.Chmod(key, tt.file) != nil || os.Chmod(folder, tt.folder) != nil {
			t.Fatal("the modes can't be set")
		}
		code, results := examined(t, map[string]string{"BELFRY_DATA_DIR": db.Dir}, "-addr", "127.0.0.1:0", "-secret-key-file", key)
		if code != tt.code || strings.Contains(results["key file"], "others may read "+key) != (tt.code == 1) {
			t.Errorf("mode %o in a folder of %o: exit code %d, %q", tt.file, tt.folder, code, results["key file"])
		}
	}
}
