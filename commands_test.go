package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

// testKey is the secret key of all tests.
var testKey = strings.Repeat("test-key", 5)

// called is what a call of the program came to.
type called struct {
	code        int
	out, errors string
}

// environmentFor gives the variables that lead commands to a test's database.
func environmentFor(db storetest.Database) map[string]string {
	return map[string]string{"BELFRY_DATABASE_URL": db.URL, "BELFRY_DATA_DIR": db.Dir, "BELFRY_SECRET_KEY": testKey}
}

// call runs the program to its end.
func call(t *testing.T, environment map[string]string, stdin string, args ...string) called {
	t.Helper()
	var out, complaints bytes.Buffer
	code := run(t.Context(), args, environmentOf(environment), strings.NewReader(stdin), &out, &complaints)
	return called{code, out.String(), complaints.String()}
}

// must runs the program, which has to succeed, and gives what it printed.
func must(t *testing.T, environment map[string]string, stdin string, args ...string) string {
	t.Helper()
	got := call(t, environment, stdin, args...)
	if got.code != 0 {
		t.Fatalf("belfry %s: code %d\n%s%s", strings.Join(args, " "), got.code, got.out, got.errors)
	}
	return got.out
}

// migrated sets the database up as the first server would.
func migrated(t *testing.T, db storetest.Database) map[string]string {
	t.Helper()
	environment := environmentFor(db)
	must(t, environment, "", "migrate")
	return environment
}

// openTestStore opens the database beside whatever runs, until the test ends.
func openTestStore(t *testing.T, db storetest.Database) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DatabaseURL: db.URL, DataDir: db.Dir, SecretKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func TestBadSettingsAreAllNamedAtOnceAndNothingStarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	got := call(t, map[string]string{"BELFRY_TIMEOUT": "soon", "BELFRY_DATA_DIR": dir}, "", "serve", "-addr", "x", "-retries", "9", "more")
	if got.code != 2 {
		t.Errorf("code %d, want 2", got.code)
	}
	for _, name := range []string{"-addr", "-retries", "BELFRY_TIMEOUT", `"more"`} {
		if !strings.Contains(got.errors, name) {
			t.Errorf("the complaint does not name %s:\n%s", name, got.errors)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the data folder was made all the same")
	}
}

func TestBadFlagsOfACommandAreAllNamedAtOnce(t *testing.T) {
	for args, want := range map[string][]string{
		"demo -days 31 -rate 0 -addr x":                           {"-days: ", "-rate: ", "-addr: "},
		"listen -status abc -delay -1s -secret s -addr x":         {"-status: ", "-delay: ", "-secret: ", "-addr: "},
		"account limit -max-webhooks x -event-types y -timeout z": {"-max-webhooks: ", "-event-types: ", "-timeout: "},
		"publish -retention x more":                               {"-event is required", "-retention: ", `"more"`},
	} {
		got := call(t, nil, "", strings.Fields(args)...)
		for _, says := range want {
			if got.code != 2 || !strings.Contains(got.errors, "belfry: "+says) || strings.Contains(got.errors, "strconv") || strings.Contains(got.errors, "parse error") {
				t.Errorf("belfry %s: code %d, %q; want 2 and %q in plain words", args, got.code, got.errors, says)
			}
		}
	}
}

func TestAWrongCallSaysWhatWasMeant(t *testing.T) {
	for args, want := range map[string]string{
		"sevre":          `did you mean "serve"?`,
		"kay add":        `did you mean "key add"?`,
		"key ad":         `there is no command "key ad": there is key add`,
		"key":            `"key" needs a second word: key add`,
		"user":           "user add or user reset-password",
		"serve -adr :0":  "did you mean -addr?",
		"-adr :0":        "did you mean -addr?",
		"key add":        "-name is required",
		"user add":       "-email is required",
		"publish":        "-event is required",
		"account add":    "-name is required",
		"listen -status": "flag needs an argument",
		"demo -rate 0":   "from 1 to 6000",
		"demo -days 31":  "from 0 to 30",
	} {
		got := call(t, nil, "", strings.Fields(args)...)
		if got.code != 2 || !strings.Contains(got.errors, want) {
			t.Errorf("belfry %s: code %d, %q; want 2 and %q", args, got.code, got.errors, want)
		}
	}
	for args, want := range map[string]string{"frobnicate": `there is no command "frobnicate"`, "serve -colour red": "-colour: there is no such flag"} {
		got := call(t, nil, "", strings.Fields(args)...)
		if got.code != 2 || !strings.Contains(got.errors, want) || strings.Contains(got.errors, "did you mean") || !strings.Contains(got.errors, "help") && !strings.Contains(got.errors, "-h") {
			t.Errorf("belfry %s: code %d, %q; want %q, no suggestion, and the way to the help", args, got.code, got.errors, want)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	overview := must(t, nil, "", "help")
	for _, cmd := range subcommands() {
		if !strings.Contains(overview, cmd.name) {
			t.Errorf("the help does not list %s", cmd.name)
		}
		words := strings.Fields(cmd.name)
		byFlag, byHelp := must(t, nil, "", append(words, "-h")...), must(t, nil, "", append([]string{"help"}, words...)...)
		if strings.Contains(byFlag, " string\n") {
			t.Errorf("%v -h doesn't say in a word what a flag takes:\n%s", words, byFlag)
		}
		if byFlag != byHelp || !strings.Contains(byFlag, cmd.detail[:20]) {
			t.Errorf("%s -h says %q, help says %q", cmd.name, byFlag, byHelp)
		}
	}
}

func TestAGroupOfCommandsListsItsCommands(t *testing.T) {
	for group, commands := range map[string][]string{"key": {"key add"}, "user": {"user add", "user reset-password"}, "account": {"account add", "account limit"}} {
		byFlag := must(t, nil, "", group, "-h")
		for _, other := range [][]string{{group, "--help"}, {group, "help"}, {"help", group}} {
			if got := must(t, nil, "", other...); got != byFlag {
				t.Errorf("belfry %s prints %q, -h %q", strings.Join(other, " "), got, byFlag)
			}
		}
		for _, cmd := range subcommands() {
			if slices.Contains(commands, cmd.name) != slices.Contains(squeezed(byFlag), cmd.name+" "+cmd.summary) {
				t.Errorf("belfry %s -h prints\n%s\nwant a line for each of %q alone", group, byFlag, commands)
			}
		}
	}
}

func TestExamplesNameTheCommandAsTheReaderCallsIt(t *testing.T) {
	for example, want := range map[string]string{
		"belfry serve": "go run . serve",
		"BELFRY_DATABASE_URL=postgres://belfry@db/belfry belfry serve": "BELFRY_DATABASE_URL=postgres://belfry@db/belfry go run . serve",
		"KEY=$(belfry key add -name ci)":                               "KEY=$(go run . key add -name ci)",
		"cat order.json | belfry publish -data -":                      "cat order.json | go run . publish -data -",
	} {
		if got := calledAs("go run .", example); got != want {
			t.Errorf("%q is shown as %q, want %q", example, got, want)
		}
	}
}

func TestServeHelpHoldsEverySetting(t *testing.T) {
	help := must(t, nil, "", "serve", "-h")
	for _, s := range settings() {
		if !strings.Contains(help, "-"+s.name+" ") || !strings.Contains(help, s.variable()) {
			t.Errorf("serve -h lacks %s or %s", s.name, s.variable())
		}
	}
}

func TestVersionNamesTheRelease(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if out := must(t, nil, "", args...); !strings.HasPrefix(out, "belfry "+version()) {
			t.Errorf("%v prints %q", args, out)
		}
	}
}

func TestKeyAddWorksBeforeTheFirstServe(t *testing.T) {
	db := storetest.NoDatabase(t)
	got := call(t, environmentFor(db), "", "key", "add", "-name", "ci", "-scopes", "publish,read")
	if got.code != 0 || !regexp.MustCompile(`^bf_\w{43}\n$`).MatchString(got.out) {
		t.Fatalf("code %d, printed %q (%s), want the key alone", got.code, got.out, got.errors)
	}
	key, err := openTestStore(t, db).KeyByToken(t.Context(), strings.TrimSpace(got.out))
	if err != nil || !key.Holds(store.ScopeRead) || key.Holds(store.ScopeManage) {
		t.Errorf("the key is %+v (%v), want one that may publish and read", key, err)
	}
}

func TestANewDatabaseIsSpokenOfOnceWhenItIsMade(t *testing.T) {
	db := storetest.NoDatabase(t)
	made := "a new database was made in " + db.Dir
	for _, tt := range []struct {
		args string
		says bool
	}{{"user add -email mira@example.com", true}, {"key add -name ci", false}, {"publish -event order.paid", false}} {
		got := call(t, environmentFor(db), "correct horse battery\n", strings.Fields(tt.args)...)
		if got.code != 0 || strings.Contains(got.errors, made) != tt.says || strings.Contains(got.out, made) {
			t.Errorf("%s: code %d, printed %q, said %q; want it to say %v that %s", tt.args, got.code, got.out, got.errors, tt.says, made)
		}
	}
}

func TestWhatNeedsAnInstallationMakesNone(t *testing.T) {
	for _, args := range []string{"publish -event order.paid", "user reset-password -email mira@example.com", "account limit", "account limit -max-webhooks 5"} {
		dir := filepath.Join(t.TempDir(), "mistyped")
		got := call(t, map[string]string{"BELFRY_DATA_DIR": dir}, "correct horse battery\n", strings.Fields(args)...)
		if got.code != 1 || got.out != "" || !strings.Contains(got.errors, "there is no database in "+dir+": name the data folder") {
			t.Errorf("%s: code %d, printed %q, said %q; want it refused", args, got.code, got.out, got.errors)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s made the folder all the same", args)
		}
	}
}

func TestOtherScopesThanOursAreRefused(t *testing.T) {
	got := call(t, environmentFor(storetest.SQLite(t)), "", "key", "add", "-name", "ci", "-scopes", "all")
	if got.code != 1 || got.out != "" || !strings.Contains(got.errors, `"all" is not a scope`) {
		t.Errorf("code %d, printed %q, said %q", got.code, got.out, got.errors)
	}
}

func TestAnotherSecretKeyIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		environment["BELFRY_SECRET_KEY"] = strings.Repeat("other", 8)
		if got := call(t, environment, "", "key", "add", "-name", "ci"); got.code != 1 || !strings.Contains(got.errors, "secret key is not the one") {
			t.Errorf("another secret key: code %d, %q", got.code, got.errors)
		}
	})
}

// TestAMissingKeyFileIsSpokenOfAndNotReplaced is what follows a backup of the
// database put back without its key.
func TestAMissingKeyFileIsSpokenOfAndNotReplaced(t *testing.T) {
	db := storetest.NoDatabase(t)
	// Nobody can listen on that address: a server that did start would end.
	environment := map[string]string{"BELFRY_DATA_DIR": db.Dir, "BELFRY_ADDR": "192.0.2.1:1"}
	must(t, environment, "", "key", "add", "-name", "ci")
	file := filepath.Join(db.Dir, "secret.key")
	key, err := os.ReadFile(file)
	if err != nil || os.Remove(file) != nil {
		t.Fatalf("key add made no key: %v", err)
	}
	for _, args := range []string{"doctor", "serve", "migrate", "publish -event order.paid", "key add -name ci"} {
		got := call(t, environment, "", strings.Fields(args)...)
		if said := got.out + got.errors; got.code != 1 || !strings.Contains(said, "missing: "+file) || !strings.Contains(said, "put the file back") || strings.Contains(said, "not the one") {
			t.Errorf("%s: code %d, %q; want that %s is missing", args, got.code, said, file)
		}
		if _, err := os.Stat(file); err == nil {
			t.Fatalf("%s made another key", args)
		}
	}
	environment["BELFRY_SECRET_KEY"] = strings.TrimSpace(string(key))
	must(t, environment, "", "key", "add", "-name", "given")
}

func TestCommandsDoNotMigrateWhatAnotherProcessServes(t *testing.T) {
	db := storetest.NoDatabase(t)
	server, err := store.Open(t.Context(), store.Options{DataDir: db.Dir, SecretKey: testKey, Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if got := call(t, environmentFor(db), "", "key", "add", "-name", "ci"); got.code != 1 || !strings.Contains(got.errors, "schema") {
		t.Errorf("key add: code %d, %q; want that the schema is another", got.code, got.errors)
	}
	if got := call(t, environmentFor(db), "", "migrate"); got.code != 1 || !strings.Contains(got.errors, "another process serves") {
		t.Errorf("migrate: code %d, %q; want that another process serves", got.code, got.errors)
	}
}

func TestPeopleAreAddedWithAPasswordFromStandardInput(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		first := must(t, environment, "correct horse battery\n", "user", "add", "-email", "Mira@Example.com")
		second := must(t, environment, "another horse battery\r\n", "user", "add", "-email", "jon@example.com")
		if !strings.Contains(first, "as owner") || !strings.Contains(second, "as admin") {
			t.Errorf("printed %q and %q, want an owner first and an admin then", first, second)
		}
		must(t, environment, "a new horse altogether", "user", "reset-password", "-email", "mira@example.com")
		st := openTestStore(t, db)
		if _, err := st.Authenticate(t.Context(), "mira@example.com", "a new horse altogether"); err != nil {
			t.Errorf("the new password is refused: %v", err)
		}
		if _, err := st.Authenticate(t.Context(), "jon@example.com", "another horse battery"); err != nil {
			t.Errorf("the second person is refused: %v", err)
		}
	})
}

func TestPasswordsThatAreNoneAreRefused(t *testing.T) {
	environment := environmentFor(storetest.SQLite(t))
	for stdin, want := range map[string]string{"": "no password on standard input", "\n": "no password on standard input", "short\n": "password: "} {
		if got := call(t, environment, stdin, "user", "add", "-email", "mira@example.com"); got.code != 1 || !strings.Contains(got.errors, want) {
			t.Errorf("password %q: code %d, %q; want %q", stdin, got.code, got.errors, want)
		}
	}
	if got := call(t, environment, "correct horse battery", "user", "reset-password", "-email", "nobody@example.com"); got.code != 1 || !strings.Contains(got.errors, "no user") {
		t.Errorf("nobody's password: code %d, %q", got.code, got.errors)
	}
}

func TestAccountsAreAddedAndLimited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		must(t, environment, "", "account", "add", "-name", "acme")
		if got := call(t, environment, "", "account", "add", "-name", "acme"); got.code != 1 {
			t.Errorf("the same name again: code %d", got.code)
		}
		must(t, environment, "", "account", "limit", "-account", "acme", "-max-webhooks", "3", "-rate-per-minute", "60")
		out := must(t, environment, "", "account", "limit", "-account", "acme", "-rate-per-minute", "default")
		want := []string{"max-webhooks 3 own", "rate-per-minute 1000 default"}
		for _, line := range want {
			if !slices.Contains(squeezed(out), line) {
				t.Errorf("printed\n%s\nwant a line %q", out, line)
			}
		}
		if out := must(t, environment, "", "account", "limit"); !strings.HasPrefix(out, "account default\n") {
			t.Errorf("without -account it is %q, want the first one", out)
		}
		if got := call(t, environment, "", "account", "limit", "-account", "nobody"); got.code != 1 || !strings.Contains(got.errors, `no account "nobody"`) {
			t.Errorf("an unknown account: code %d, %q", got.code, got.errors)
		}
		if got := call(t, environment, "", "account", "limit", "-max-webhooks", "0"); got.code != 1 || !strings.Contains(got.errors, "max_webhooks") {
			t.Errorf("no webhooks at all: code %d, %q", got.code, got.errors)
		}
	})
}

// squeezed gives the lines of a text with single spaces.
func squeezed(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestPublishTakesDataFromFlagFileAndStandardInput(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment := migrated(t, db)
		file := filepath.Join(t.TempDir(), "data.json")
		if err := os.WriteFile(file, []byte(`{"from": "file"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		st := openTestStore(t, db)
		account, err := st.EnsureDefaultAccount(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for from, want := range map[string]string{
			`{"from": "flag"}`: `{"from":"flag"}`, "@" + file: `{"from":"file"}`, "-": `{"from":"stdin"}`, "": `{}`,
		} {
			var accepted store.Accepted
			out := must(t, environment, `{"from":"stdin"}`, "publish", "-event", "order.paid", "-agent", "berlin", "-data", from)
			if err := json.Unmarshal([]byte(out), &accepted); err != nil {
				t.Fatalf("publish prints %q: %v", out, err)
			}
			event, err := st.Event(t.Context(), account.ID, accepted.ID)
			if err != nil || string(event.Data) != want || event.AgentID != "berlin" {
				t.Errorf("-data %q keeps %s about %q (%v), want %s", from, event.Data, event.AgentID, err, want)
			}
		}
		for _, want := range []string{"call.endet is a new event type; the catalogue has it now; did you mean call.ended?\n", ""} {
			if got := call(t, environment, "", "publish", "-event", "call.endet"); got.code != 0 || got.errors != want {
				t.Errorf("publishing a type that may be mistyped says %q (code %d), want %q", got.errors, got.code, want)
			}
		}
	})
}

func TestPublishSaysWhatIsWrongWithItsFlag(t *testing.T) {
	for data, want := range map[string]string{
		"xx":            "belfry: -data is not JSON: line 1, column 1: ",
		" ":             "belfry: -data is not JSON: line 1, column 2: it is empty.",
		`{"a":1,"a":2}`: "belfry: -data is refused: The field a is there twice.",
		`"\u0000"`:      "belfry: -data holds a NUL character",
	} {
		if got := call(t, nil, "", "publish", "-event", "order.paid", "-data", data, "-data-dir", filepath.Join(t.TempDir(), "data")); got.code != 1 || !strings.HasPrefix(got.errors, want) {
			t.Errorf("-data %s: code %d, %q; want %q", data, got.code, got.errors, want)
		}
	}
}

func TestPublishRefusesWhatTheAPIRefuses(t *testing.T) {
	environment := environmentFor(storetest.SQLite(t))
	for _, tt := range []struct{ event, data string }{
		{"order.paid", "{"},
		{"order.paid", "[1]"},
		{"order.paid", `{"a":1,"a":2}`},
		{"order.paid", "{\"a\":\"\\u0000\"}"},
		{"order.paid", "{\"a\":\"\xff\"}"},
		{"order.paid", "@/does/not/exist"},
		{"Order Paid", "{}"},
		{"webhook.disabled", "{}"},
	} {
		if got := call(t, environment, "", "publish", "-event", tt.event, "-data", tt.data); got.code != 1 || got.errors == "" || got.out != "" {
			t.Errorf("%s with %s: code %d, printed %q, said %q; want it refused", tt.event, tt.data, got.code, got.out, got.errors)
		}
	}
}
