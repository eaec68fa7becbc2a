package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"belfry/store"
	"belfry/worker/outbound"
)

// config is what the settings of one call come to.
type config struct {
	addr            string
	databaseURL     string
	dataDir         string
	secretKey       string
	secretKeyFile   string
	baseURL         *url.URL
	headerPrefix    string
	trustedProxies  []netip.Prefix
	allowTargets    string
	targets         *outbound.Targets
	metricsAddr     string
	maxDatabaseSize int64
	limits          store.Limits
	resolver        *net.Resolver  // nil: the system's
	trusted         *x509.CertPool // who vouches for endpoints; nil: the system's
	styleguide      bool           // the demo's: /styleguide shows the parts of the pages
	// faults names every setting that is wrong, with a sentence. Only doctor
	// ever sees a config that has some.
	faults []string
}

// setting is one thing that an operator sets: with the flag -name, or with the
// environment variable that variable gives. The flag wins. An empty value
// stands for the default.
type setting struct {
	name, value string // value names its form in the help
	preset      string // the default, as it would be given; empty: none
	usage       string
	apply       func(c *config, value string) error
}

// variable is the setting's environment variable: BELFRY_DATA_DIR for data-dir.
func (s setting) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// settings are all there are: flags, environment and help text are made from
// this one table.
func settings() []setting {
	return []setting{
		{"addr", "host:port", "127.0.0.1:8080", "where pages and API are served", applyAddr},
		{"base-url", "url", "", "where people reach the server, as https://hooks.example.com. With https: Secure cookies and HSTS; other hosts are refused", applyBaseURL},
		{"database-url", "url", "", "Postgres, as postgres://user:password@host:5432/name; empty: SQLite in the data folder", applyDatabaseURL},
		{"data-dir", "folder", "./data", "the folder of the SQLite database and of the secret key", func(c *config, v string) error { c.dataDir = v; return nil }},
		{"secret-key", "text", "", "32 characters or more that encrypt what is secret in the database. Empty: made once, with the database, and kept in the data folder; required with Postgres", applySecretKey},
		{"secret-key-file", "file", "", "a file that holds the secret key, instead of -secret-key", applySecretKeyFile},
		{"allow-targets", "list", "", "addresses, CIDRs and host names, with commas or blanks between, that may be private and plain http, as 10.0.0.0/8,acme=hooks.internal; an entry may be bound to an account. Empty: public https only", applyTargets},
		{"trusted-proxies", "list", "", "CIDRs of the proxies whose X-Forwarded-For is believed. Empty: forwarded headers are ignored", applyProxies},
		{"metrics-addr", "host:port", "", "serve /metrics here as well, without a key; at -addr it takes a key of the first account with the scope read", applyMetricsAddr},
		{"header-prefix", "prefix", "X-Webhook", "how the names of the headers of a delivery begin, for accounts that have no prefix of their own", applyPrefix},
		{"max-webhooks", "number", "10", "webhooks per account", number(func(c *config) *int { return &c.limits.MaxWebhooks })},
		{"rate-per-minute", "number", "1000", "outgoing requests per account and minute, refilled evenly, 50 at once at most; more wait", number(func(c *config) *int { return &c.limits.RatePerMinute })},
		{"api-rate-per-minute", "number", "1000", "API requests per key and minute", number(func(c *config) *int { return &c.limits.APIRatePerMinute })},
		{"timeout", "duration", "10s", "for one whole request, from the name look-up to the answer's body", applyTimeout},
		{"retries", "list", "5", "pauses before each retry, as 5s,1m,10m; or how many of the pauses 5s,1m,10m,1h,6h to take, from 0 to 5", applyRetries},
		{"retention", "duration", "30d", "how long finished deliveries and their events are kept", applyRetention},
		{"retention-bodies", "duration", "", "how long the bodies of requests and answers are kept, at most as long as their delivery. Empty: 7d, or -retention where that is shorter", applyRetentionBodies},
		{"max-db-size", "size", "", "a budget for what the database holds, as 20GB; the oldest finished deliveries make room. Room that was freed stays in its files and is used again, and with SQLite a log of writes stands beside them: leave the disk some more. Empty: none", applySize},
	}
}

// settingFlags registers the settings on flags, but for names that the command
// has taken for its own. What is given gathers in the map, by name.
func settingFlags(flags *flag.FlagSet, use settingsUse) map[string]string {
	given := map[string]string{}
	for _, s := range settings() {
		if !use.takes(s.name) || flags.Lookup(s.name) != nil {
			continue
		}
		flags.Func(s.name, s.usage, func(value string) error {
			given[s.name] = value
			return nil
		})
	}
	return given
}

// readConfig makes a config of the flags given and the environment, and names
// in its faults all that is wrong with them.
func readConfig(given map[string]string, getenv func(string) string, use settingsUse) *config {
	c := &config{}
	wrong := map[string]bool{}
	for _, s := range settings() {
		value, origin := s.preset, "-"+s.name
		if use.takes(s.name) {
			value, origin = s.find(given, getenv)
		}
		if value == "" {
			continue
		}
		if err := s.apply(c, value); err != nil {
			wrong[s.name] = true
			c.fault(origin, err)
		}
	}
	c.checkTogether(wrong)
	return c
}

// find gives the value that holds, and the name of what set it.
func (s setting) find(given map[string]string, getenv func(string) string) (value, origin string) {
	value, origin = strings.TrimSpace(given[s.name]), "-"+s.name
	if _, flagged := given[s.name]; !flagged {
		value, origin = strings.TrimSpace(getenv(s.variable())), s.variable()
	}
	if value == "" {
		value = s.preset
	}
	return value, origin
}

func (c *config) fault(origin string, err error) {
	for detail := range strings.SplitSeq(err.Error(), "\n") {
		c.faults = append(c.faults, origin+": "+detail)
	}
}

// checkTogether finds what only several settings together get wrong.
func (c *config) checkTogether(wrong map[string]bool) {
	if c.secretKey != "" && c.secretKeyFile != "" {
		c.fault("-secret-key", errors.New("give either this or -secret-key-file, not both"))
	}
	if err := c.readSecretKeyFile(); err != nil {
		c.fault("-secret-key-file", err)
	}
	if c.databaseURL != "" && c.secretKey == "" && c.secretKeyFile == "" && !wrong["secret-key"] {
		c.fault("-secret-key", errors.New("with Postgres a secret key is required: give this or -secret-key-file, 32 characters or more"))
	}
	if c.metricsAddr != "" && c.metricsAddr == c.addr {
		c.fault("-metrics-addr", errors.New("is the same as -addr; /metrics is there already, for keys of the first account with the scope read"))
	}
	var invalid *store.Error
	if errors.As(c.limits.Check(), &invalid) {
		for _, f := range invalid.Fields {
			c.fault("-"+strings.ReplaceAll(f.Field, "_", "-"), errors.New(f.Detail))
		}
	}
}

// readSecretKeyFile puts the file's key in place of its name's.
func (c *config) readSecretKeyFile() error {
	if c.secretKeyFile == "" || c.secretKey != "" {
		return nil
	}
	text, err := os.ReadFile(c.secretKeyFile)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w; put it back, or make one for a new database: (umask 077; head -c 32 /dev/urandom | base64 > %s)", err, c.secretKeyFile)
	}
	if err != nil {
		return err
	}
	return applySecretKey(c, strings.TrimSpace(string(text)))
}

// printSettings writes the help text of the settings that use shows.
func printSettings(w io.Writer, use settingsUse) {
	for _, s := range settings() {
		if !use.shows(s.name) {
			continue
		}
		usage := s.usage
		if s.preset != "" {
			usage += " (default " + s.preset + ")"
		}
		fmt.Fprintf(w, "  -%s %s, %s\n", s.name, s.value, s.variable())
		printWrapped(w, "        ", usage)
	}
}
