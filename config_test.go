package main

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/store"
)

// configOf reads the settings of flags and an environment, as serve does.
func configOf(t *testing.T, environment map[string]string, args ...string) *config {
	t.Helper()
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	given := settingFlags(flags, allSettings)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return readConfig(given, environmentOf(environment), allSettings)
}

func environmentOf(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func TestSettingsHaveTheDefaultsOfTheLimits(t *testing.T) {
	c := configOf(t, nil)
	if len(c.faults) > 0 {
		t.Fatalf("the defaults are refused: %q", c.faults)
	}
	want := store.DefaultLimits()
	got := []any{c.limits.MaxWebhooks, c.limits.RatePerMinute, c.limits.APIRatePerMinute, c.limits.Timeout, c.limits.Retries, c.limits.Retention}
	defaults := []any{want.MaxWebhooks, want.RatePerMinute, want.APIRatePerMinute, want.Timeout, want.Retries, want.Retention}
	if !reflect.DeepEqual(got, defaults) {
		t.Errorf("limits are %v, want the store's defaults %v", got, defaults)
	}
	if c.addr != "127.0.0.1:8080" || c.dataDir != "./data" || c.headerPrefix != "X-Webhook" || c.maxDatabaseSize != 0 {
		t.Errorf("addr %q, data folder %q, prefix %q, size %d are not the defaults", c.addr, c.dataDir, c.headerPrefix, c.maxDatabaseSize)
	}
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	environment := map[string]string{"BELFRY_ADDR": ":1", "BELFRY_MAX_WEBHOOKS": "20", "BELFRY_DATA_DIR": "/elsewhere"}
	c := configOf(t, environment, "-addr", ":2", "-data-dir=")
	if c.addr != ":2" {
		t.Errorf("addr is %q, want the flag's :2", c.addr)
	}
	if c.limits.MaxWebhooks != 20 {
		t.Errorf("max-webhooks is %d, want the environment's 20", c.limits.MaxWebhooks)
	}
	if c.dataDir != "./data" {
		t.Errorf("data folder is %q, want the default that the empty flag asks for", c.dataDir)
	}
}

func TestSettingsAreRead(t *testing.T) {
	c := configOf(t, nil, "-retries", "2s, 1m,1d", "-timeout", "1500ms", "-retention", "1d12h", "-retention-bodies", "36h",
		"-max-db-size", "1.5 GiB", "-base-url", "https://hooks.example.com/", "-trusted-proxies", "10.1.2.3/8, 192.0.2.1", "-header-prefix", "X-Rine")
	if len(c.faults) > 0 {
		t.Fatal(c.faults)
	}
	want := []time.Duration{2 * time.Second, time.Minute, 24 * time.Hour}
	if !slices.Equal(c.limits.Retries, want) {
		t.Errorf("retries are %v, want %v", c.limits.Retries, want)
	}
	if c.limits.Retention != 36*time.Hour || c.limits.RetentionBodies != 36*time.Hour || c.limits.Timeout != 1500*time.Millisecond {
		t.Errorf("retention %v, bodies %v, timeout %v", c.limits.Retention, c.limits.RetentionBodies, c.limits.Timeout)
	}
	if c.maxDatabaseSize != 3<<29 {
		t.Errorf("size is %d, want %d", c.maxDatabaseSize, 3<<29)
	}
	if c.baseURL.String() != "https://hooks.example.com" || c.headerPrefix != "X-Rine" {
		t.Errorf("base URL %v, prefix %q", c.baseURL, c.headerPrefix)
	}
	if got := c.trustedProxies; len(got) != 2 || got[0].String() != "10.0.0.0/8" || got[1].String() != "192.0.2.1/32" {
		t.Errorf("trusted proxies are %v", got)
	}
}

func TestRetriesMayBeACount(t *testing.T) {
	for count, want := range map[string]int{"0": 0, "2": 2, "5": 5} {
		c := configOf(t, nil, "-retries", count)
		if len(c.faults) > 0 || c.limits.Retries == nil || len(c.limits.Retries) != want {
			t.Errorf("-retries %s gives %v (%q), want %d pauses", count, c.limits.Retries, c.faults, want)
		}
	}
}

// TestEachBadSettingIsNamed holds one wrong value for every kind of fault.
func TestEachBadSettingIsNamed(t *testing.T) {
	for _, tt := range []struct{ flag, value, says string }{
		{"-addr", "8080", "host:port"},
		{"-addr", "localhost:http", "host:port"},
		{"-addr", ":70000", "host:port"},
		{"-metrics-addr", "x", "host:port"},
		{"-metrics-addr", "127.0.0.1:8080", "same as -addr"},
		{"-base-url", "hooks.example.com", "https://"},
		{"-base-url", "https://hooks.example.com/path", "nothing behind it"},
		{"-database-url", "postgres://u:hunter2@[::1", "can't be read"},
		{"-secret-key", "hunter2", "32 or more"},
		{"-secret-key-file", "/does/not/exist", "no such file"},
		{"-header-prefix", "webhook", "clash"},
		{"-header-prefix", "X Webhook", "letters"},
		{"-trusted-proxies", "10.0.0.0/33", "CIDR"},
		{"-allow-targets", "10.0.0.1/8", "bits"},
		{"-retention", "30", "duration"},
		{"-retention", "-1d", "duration"},
		{"-retention", "5m", "must be from"},
		{"-retention-bodies", "xd", "duration"},
		{"-retention-bodies", "31d", "longer than -retention"},
		{"-max-db-size", "20 things", "size"},
		{"-max-db-size", "-1GB", "size"},
		{"-max-db-size", "5MB", "too little"},
		{"-max-webhooks", "0", "1 or more"},
		{"-max-webhooks", "1000000", "must be from"},
		{"-rate-per-minute", "many", "whole number"},
		{"-api-rate-per-minute", "1.5", "whole number"},
		{"-timeout", "0s", "duration"},
		{"-timeout", "1h", "must be from"},
		{"-retries", "6", "from 0 to 5"},
		{"-retries", "5s,soon", "duration"},
		{"-retries", "30d", "a pause must be"},
	} {
		c := configOf(t, nil, tt.flag, tt.value)
		said := strings.Join(c.faults, "\n")
		if !strings.Contains(said, tt.flag+": ") || !strings.Contains(said, tt.says) {
			t.Errorf("%s %q says %q, want the flag and %q", tt.flag, tt.value, said, tt.says)
		}
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s repeats a secret: %q", tt.flag, said)
		}
	}
}

func TestAFaultNamesTheVariableItCameFrom(t *testing.T) {
	c := configOf(t, map[string]string{"BELFRY_TIMEOUT": "soon"})
	if len(c.faults) != 1 || !strings.HasPrefix(c.faults[0], "BELFRY_TIMEOUT: ") {
		t.Errorf("faults are %q, want one that names BELFRY_TIMEOUT", c.faults)
	}
}

func TestTheSecretKeyMayStandInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	key := strings.Repeat("k", 40)
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := configOf(t, nil, "-secret-key-file", path); c.secretKey != key || len(c.faults) > 0 {
		t.Errorf("the key is %q (%q), want the file's", c.secretKey, c.faults)
	}
	if c := configOf(t, nil, "-secret-key-file", path, "-secret-key", key); len(c.faults) != 1 || !strings.Contains(c.faults[0], "not both") {
		t.Errorf("a key and a file together say %q", c.faults)
	}
}

func TestPostgresNeedsASecretKey(t *testing.T) {
	url := []string{"-database-url", "postgres://belfry@localhost/belfry"}
	if c := configOf(t, nil, url...); len(c.faults) != 1 || !strings.Contains(c.faults[0], "required") {
		t.Errorf("Postgres without a key says %q", c.faults)
	}
	if c := configOf(t, nil, append(url, "-secret-key", strings.Repeat("k", 32))...); len(c.faults) > 0 {
		t.Errorf("Postgres with a key says %q", c.faults)
	}
}
