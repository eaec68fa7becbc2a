package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"belfry/store"
	"belfry/worker/outbound"
)

func applyAddr(c *config, v string) error {
	c.addr = v
	return checkAddr(v)
}

func applyMetricsAddr(c *config, v string) error {
	c.metricsAddr = v
	return checkAddr(v)
}

func checkAddr(v string) error {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not host:port, such as 127.0.0.1:8080 or :8080", v)
	}
	return nil
}

func applyBaseURL(c *config, v string) error {
	u, err := url.Parse(strings.TrimSuffix(v, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be http:// or https:// with a host and nothing behind it, such as https://hooks.example.com")
	}
	c.baseURL = u
	return nil
}

// applyDatabaseURL never repeats the URL, which holds a password.
func applyDatabaseURL(c *config, v string) error {
	c.databaseURL = v
	if _, err := pgx.ParseConfig(v); err != nil {
		return errors.New("can't be read; it looks like postgres://user:password@host:5432/name")
	}
	return nil
}

// applySecretKey never repeats the key.
func applySecretKey(c *config, v string) error {
	if n := len([]rune(v)); n < 32 {
		return fmt.Errorf("has %d characters; it needs 32 or more", n)
	}
	c.secretKey = v
	return nil
}

func applySecretKeyFile(c *config, v string) error {
	c.secretKeyFile = v
	return nil
}

func applyTargets(c *config, v string) (err error) {
	c.allowTargets = v
	c.targets, err = outbound.Parse(v)
	return err
}

func applyProxies(c *config, v string) error {
	var wrong []error
	for item := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(item)
		if addr, errAddr := netip.ParseAddr(item); errAddr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%q is neither an address nor a CIDR such as 10.0.0.0/8", item))
			continue
		}
		c.trustedProxies = append(c.trustedProxies, prefix.Masked())
	}
	return errors.Join(wrong...)
}

func applyPrefix(c *config, v string) error {
	c.headerPrefix = v
	var invalid *store.Error
	if errors.As(store.CheckHeaderPrefix(v), &invalid) {
		return errors.New(invalid.Fields[0].Detail)
	}
	return nil
}

// number makes the apply function of a whole number. Zero is refused here:
// behind this point it stands for the default.
func number(field func(c *config) *int) func(c *config, v string) error {
	return func(c *config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a whole number of 1 or more", v)
		}
		*field(c) = n
		return nil
	}
}

func applyTimeout(c *config, v string) (err error) {
	c.limits.Timeout, err = parseDuration(v)
	return err
}

func applyRetention(c *config, v string) (err error) {
	c.limits.Retention, err = parseDuration(v)
	return err
}

func applyRetentionBodies(c *config, v string) (err error) {
	c.limits.RetentionBodies, err = parseDuration(v)
	return err
}

// parseDuration reads a span that is longer than 0.
func parseDuration(v string) (time.Duration, error) {
	d, err := parseSpan(v)
	if err == nil && d == 0 {
		err = notASpan(v)
	}
	return d, err
}

// parseSpan reads a duration of Go, with days before the rest: 30d, 1d12h.
func parseSpan(v string) (time.Duration, error) {
	days, rest, found := strings.Cut(v, "d")
	if !found {
		days, rest = "0", v
	} else if rest == "" {
		rest = "0s"
	}
	n, err := strconv.ParseUint(days, 10, 16)
	d, errRest := time.ParseDuration(rest)
	if d += time.Duration(n) * 24 * time.Hour; err != nil || errRest != nil || d < 0 {
		return 0, notASpan(v)
	}
	return d, nil
}

func notASpan(v string) error {
	return fmt.Errorf("%q is not a duration such as 10s, 15m, 6h or 30d", v)
}

// applyRetries takes a count of the default pauses, or the pauses themselves.
func applyRetries(c *config, v string) error {
	pauses := store.DefaultLimits().Retries
	if n, err := strconv.Atoi(v); err == nil {
		if n < 0 || n > len(pauses) {
			return fmt.Errorf("%d is not a count from 0 to %d; for more retries give the pauses, such as 5s,1m,10m", n, len(pauses))
		}
		c.limits.Retries = pauses[:n]
		return nil
	}
	for item := range strings.SplitSeq(v, ",") {
		pause, err := parseDuration(strings.TrimSpace(item))
		if err != nil {
			return err
		}
		c.limits.Retries = append(c.limits.Retries, pause)
	}
	return nil
}

// sizeUnits are what a size may end in; those without B are powers of 1024.
var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KIB", 1 << 10},
	{"MIB", 1 << 20},
	{"GIB", 1 << 30},
	{"TIB", 1 << 40},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"K", 1 << 10},
	{"M", 1 << 20},
	{"G", 1 << 30},
	{"T", 1 << 40},
	{"B", 1},
	{"", 1},
}

// minDatabase is the least budget that holds the tables and some work.
const minDatabase = 10 << 20

func applySize(c *config, v string) error {
	size, err := parseSize(v)
	if err == nil && size < minDatabase {
		err = fmt.Errorf("%q is too little; give 10MiB or more", v)
	}
	c.maxDatabaseSize = size
	return err
}

func parseSize(v string) (int64, error) {
	text := strings.ToUpper(strings.ReplaceAll(v, " ", ""))
	for _, unit := range sizeUnits {
		if number, ok := strings.CutSuffix(text, unit.suffix); ok {
			n, err := strconv.ParseFloat(number, 64)
			if err != nil || !(n > 0 && n*unit.bytes < 1<<62) {
				break
			}
			return int64(n * unit.bytes), nil
		}
	}
	return 0, fmt.Errorf("%q is not a size such as 500MB, 20GB or 1.5GiB", v)
}
