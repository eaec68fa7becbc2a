package views

import (
	"strings"
	"testing"
	"time"
)

func TestNumbersAreWrittenForPeople(t *testing.T) {
	cases := []struct{ got, want string }{
		{Count(0), "0"},
		{Count(999), "999"},
		{Count(22814), "22,814"},
		{Count(1234567), "1,234,567"},
		{Count(-1000), "-1,000"},
		{CountUpTo(9412, 10000), "9,412"},
		{CountUpTo(10000, 10000), "10,000+"},
		{Plural(1, "delivery", "deliveries"), "1 delivery"},
		{Plural(0, "delivery", "deliveries"), "0 deliveries"},
		{Percent(969, 1000), "96.9%"},
		{Percent(1, 1), "100%"},
		{Percent(0, 9), "0%"},
		{Percent(0, 0), "–"},
		{Percent(99999, 100000), "99.9%"},
		{Percent(1, 100000), "0.1%"},
		{Percent(681, 1000), "68.1%"},
		{Bytes(0), "0 bytes"},
		{Bytes(1), "1 byte"},
		{Bytes(171), "171 bytes"},
		{Bytes(16384), "16 KiB"},
		{Bytes(1229), "1.2 KiB"},
		{Bytes(8 << 20), "8 MiB"},
		{Bytes(1288490189), "1.2 GiB"},
		{prose("Within 7 min 12 s, of 16 KiB and 6 attempts, at 10 sent"), "Within 7\u00a0min 12\u00a0s, of 16\u00a0KiB and 6 attempts, at 10 sent"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestDurationsAreWrittenForPeople(t *testing.T) {
	cases := map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 200 * time.Microsecond: "0.2 ms", 12400 * time.Microsecond: "12 ms",
		184 * time.Millisecond: "184 ms", 6840 * time.Millisecond: "6.8 s", 9999 * time.Millisecond: "9.9 s",
		10 * time.Second: "10 s", 59*time.Second + 990*time.Millisecond: "59.9 s", time.Minute: "1 min",
		7*time.Minute + 12*time.Second: "7 min 12 s", time.Hour: "1 h", 71 * time.Minute: "1 h 11 min",
		24 * time.Hour: "1 day", 72 * time.Hour: "3 days",
	}
	for d, want := range cases {
		if got := Duration(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestRelativeTimesNameTheLargestUnit(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 34, 0, 0, time.UTC)
	cases := []struct {
		distance   time.Duration
		ago, until string
	}{
		{0, "now", "now"},
		{31 * time.Second, "31 s ago", "31 s"},
		{3*time.Minute + 50*time.Second, "3 min ago", "3 min"},
		{5 * time.Hour, "5 h ago", "5 h"},
		{25 * time.Hour, "1 day ago", "1 day"},
		{80 * time.Hour, "3 days ago", "3 days"},
	}
	for _, c := range cases {
		if got := AgoWords(now.Add(-c.distance), now); got != c.ago {
			t.Errorf("%v ago: got %q, want %q", c.distance, got, c.ago)
		}
		if got := UntilWords(now.Add(c.distance), now); got != c.until {
			t.Errorf("in %v: got %q, want %q", c.distance, got, c.until)
		}
	}
	for passed, want := range map[time.Duration]string{-time.Second: "0 s of 10 s", 3900 * time.Millisecond: "3 s of 10 s", time.Minute: "10 s of 10 s"} {
		if got := elapsedWords(passed, 10*time.Second); got != want {
			t.Errorf("%v of 10 s: got %q, want %q", passed, got, want)
		}
	}
	if got := UntilWords(now.Add(-time.Hour), now); got != "now" {
		t.Errorf("a moment past: got %q", got)
	}
}

func TestMomentsAreWrittenInUTC(t *testing.T) {
	moment := time.Date(2026, 11, 21, 15, 41, 22, 5000, time.FixedZone("CET", 3600))
	for got, want := range map[string]string{
		FullTime(moment):    "21 Nov 2026, 14:41:22 UTC",
		ClockTime(moment):   "14:41:22",
		MachineTime(moment): "2026-11-21T14:41:22.000005Z",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestIdsAndAddressesAreShortened(t *testing.T) {
	if got := ShortID("01a1fe83-a210-7d8a-ad7e-70bd55f634bc"); got != "01a1fe83…34bc" {
		t.Errorf("got %q", got)
	}
	if got := ShortID("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	cases := []struct{ url, host, rest string }{
		{"https://hooks.harborcrm.example/v2/calls", "hooks.harborcrm.example", "/v2/calls"},
		{"https://one.example", "one.example", ""},
		{"https://one.example?x=1", "one.example", "?x=1"},
		{"http://127.0.0.1:9000/hook", "http://127.0.0.1:9000", "/hook"},
		{"inbox:", "Test inbox", ""},
	}
	for _, c := range cases {
		host, rest := SplitURL(c.url)
		if host != c.host || rest != c.rest {
			t.Errorf("%s: got %q and %q", c.url, host, rest)
		}
	}
}

func TestAddressesBreakBetweenTheirParts(t *testing.T) {
	for text, want := range map[string]string{
		"https://hooks.example.com:8443/in/orders?a=1&b": "https://|hooks.|example.|com:|8443/|in/|orders?|a=|1&|b",
		"call.ended": "call.|ended",
		"plain":      "plain",
		"":           "",
	} {
		if got := strings.Join(breaks(text), "|"); got != want {
			t.Errorf("%s breaks as %s, want %s", text, got, want)
		}
	}
}

func TestABodyIsBinaryWhereHardlyAnybodyCouldReadIt(t *testing.T) {
	for body, want := range map[string]bool{
		"": false, `{"ok":true}`: false, "line\r\n\tline": false, "Größe, größer, am größten": false, "Der Gr\xf6\xdfe nach geordnet ist es": false, "\x1b[31mred words of a log\x1b[0m": false,
		"a\x00b": true, "\x1f\x8b\x08\x01packed": true, "caf\xe9": false, "\xff\xfeh\xe9": true, "�, as it was sent": false,
	} {
		if IsBinary(body) != want {
			t.Errorf("%q: binary is %t", body, !want)
		}
	}
	if got := Hex("0123456789abcdef" + "0\x00"); got != "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66\n30 00" {
		t.Error(got)
	}
}
