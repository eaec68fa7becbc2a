package store_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func TestNoSecretStandsInTheDatabaseAsItIs(t *testing.T) {
	db := storetest.SQLite(t)
	s := freshStore(t, db)
	a := defaultAccount(t, s)
	code := welcomeCode(t, s)
	u := addUser(t, s, a, "mira@example.com", store.RoleOwner)
	key, _ := addKey(t, s, a.ID, store.ScopeManage)
	saveSession(t, s, "the id in the cookie", &u.ID, "what the session holds")
	secrets := []string{code, strings.ReplaceAll(code, "-", ""), goodPassword, key, key[3:], "the id in the cookie", "what the session holds"}
	sawEmail := false
	must(t, fs.WalkDir(os.DirFS(db.Dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kept, err := os.ReadFile(filepath.Join(db.Dir, path))
		for _, secret := range secrets {
			if bytes.Contains(kept, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		sawEmail = sawEmail || bytes.Contains(kept, []byte(u.Email))
		return err
	}))
	if !sawEmail {
		t.Error("the files read are not the database: the email is in none of them")
	}
}

// legacyHash is "correct horse battery" under parameters no longer in use: m=64, t=1, p=1.
const legacyHash = "$argon2id$v=19$m=64,t=1,p=1$c29tZSBvbGQgc2FsdCEh$1qZPfS/w6SifcW8B87qs43kHbxoRr4EGBEKCfUWSAfA"

func TestAPasswordHashedUnderOldParametersServesAndIsHashedAnew(t *testing.T) {
	db := storetest.SQLite(t)
	s := freshStore(t, db)
	u := addUser(t, s, defaultAccount(t, s), "mira@example.com", store.RoleOwner)
	raw := openFile(t, db)
	_, err := raw.Exec("UPDATE users SET password_hash = ?", legacyHash)
	must(t, err)
	_, err = s.Authenticate(t.Context(), u.Email, "not the password")
	wantCode(t, err, store.CodeInvalid)
	if got := keptHash(t, raw); got != legacyHash {
		t.Errorf("a wrong password changed the hash to %s", got)
	}
	_, err = s.Authenticate(t.Context(), u.Email, goodPassword)
	must(t, err)
	if got := keptHash(t, raw); !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is still %s", got)
	}
	_, err = s.Authenticate(t.Context(), u.Email, goodPassword)
	must(t, err)
}

func TestADamagedPasswordHashIsAnErrorAndNoSignIn(t *testing.T) {
	db := storetest.SQLite(t)
	s := freshStore(t, db)
	u := addUser(t, s, defaultAccount(t, s), "mira@example.com", store.RoleOwner)
	raw := openFile(t, db)
	for _, damaged := range []string{
		"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c29tZQ$c29tZQ", strings.Replace(legacyHash, "m=64", "m=4294967295", 1),
		strings.Replace(legacyHash, "t=1", "t=0", 1), strings.Replace(legacyHash, "p=1", "p=0", 1), legacyHash[:len(legacyHash)-4],
	} {
		_, err := raw.Exec("UPDATE users SET password_hash = ?", damaged)
		must(t, err)
		if _, err := s.Authenticate(t.Context(), u.Email, goodPassword); err == nil || store.IsCode(err, store.CodeInvalid) {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

// openFile opens the database of a store beside it.
func openFile(t *testing.T, db storetest.Database) *sql.DB {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(db.Dir, "*.db"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("databases in the folder: %v", files)
	}
	raw, err := sql.Open("sqlite", files[0]+"?_pragma=busy_timeout(5000)")
	must(t, err)
	t.Cleanup(func() { raw.Close() })
	return raw
}

func keptHash(t *testing.T, raw *sql.DB) (hash string) {
	t.Helper()
	must(t, raw.QueryRow("SELECT password_hash FROM users").Scan(&hash))
	return hash
}
