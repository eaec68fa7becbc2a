package views

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"belfry/store"
)

// Count writes a number with commas: 22,814.
func Count(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// amount is a number with its unit.
var amount = regexp.MustCompile(`(\d) (ms|s|min|h|days?|bytes|KiB|MiB|GiB|TiB)\b`)

// prose keeps each number of a sentence in one line with its unit.
func prose(text string) string { return amount.ReplaceAllString(text, "$1\u00a0$2") }

// CountUpTo writes a number that was counted no further than most: "10,000+" when it is reached.
func CountUpTo(n, most int) string {
	if n >= most {
		return Count(most) + "+"
	}
	return Count(n)
}

// Plural writes a number with its noun: "1 delivery", "2 deliveries".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Percent writes part of whole with one decimal: 96.9%. It never rounds up to 100% or down to 0%, and is "–" of nothing.
func Percent(part, whole int) string {
	if whole <= 0 {
		return "–"
	}
	switch part {
	case whole:
		return "100%"
	case 0:
		return "0%"
	}
	tenths := math.Round(float64(part) * 1000 / float64(whole))
	return strconv.FormatFloat(min(max(tenths, 1), 999)/10, 'f', 1, 64) + "%"
}

// Duration writes how long something took or will take, in the two largest units that matter: 184 ms, 6.8 s, 7 min 12 s,
// 1 h 11 min, 3 days. Negative durations are written as 0 ms.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 ms"
	case d < 10*time.Millisecond && d%time.Millisecond != 0:
		return strconv.FormatFloat(math.Round(float64(d)/float64(100*time.Microsecond))/10, 'f', -1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return seconds(d)
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min")
	default:
		return Plural(int(d/(24*time.Hour)), "day", "days")
	}
}

// seconds keeps one decimal unless the value is a whole number of seconds.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
	}
	return strconv.FormatFloat(math.Floor(d.Seconds()*10)/10, 'f', 1, 64) + " s"
}

func two(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	out := fmt.Sprintf("%d %s", d/large, largeName)
	if rest := d % large / small; rest > 0 {
		out += fmt.Sprintf(" %d %s", rest, smallName)
	}
	return out
}

// EvenRate writes a rate of so many a minute as it goes evenly: about 16.7 a second, one every 6 s.
func EvenRate(perMinute int) string {
	if perMinute < 60 {
		return "one every " + Duration(time.Minute/time.Duration(max(1, perMinute)))
	}
	if perMinute >= 6000 || perMinute%60 == 0 {
		return Count(perMinute/60) + " a second"
	}
	return "about " + strconv.FormatFloat(float64(perMinute)/60, 'f', 1, 64) + " a second"
}

// Bytes writes a size: 512 bytes, 18 KiB, 1.2 GiB.
func Bytes(n int64) string {
	if n < 1024 {
		return Plural(int(n), "byte", "bytes")
	}
	value, units := float64(n)/1024, []string{"KiB", "MiB", "GiB", "TiB"}
	for len(units) > 1 && value >= 1024 {
		value, units = value/1024, units[1:]
	}
	digits := 1
	if value >= 10 || value == math.Trunc(value) {
		digits = 0
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + units[0]
}

// AgoWords writes how long ago t was: "now", "31 s ago", "3 min ago", "2 days ago".
func AgoWords(t, now time.Time) string {
	d := now.Sub(t)
	if d < time.Second {
		return "now"
	}
	return inWords(d) + " ago"
}

// UntilWords writes how long it is until t: "34 s", "7 min", or "now" once it is past.
func UntilWords(t, now time.Time) string {
	d := t.Sub(now)
	if d < time.Second {
		return "now"
	}
	return inWords(d)
}

// elapsedWords writes how much of the most time there is has passed: "3 s of 10 s".
func elapsedWords(passed, most time.Duration) string {
	return wholeSeconds(max(0, min(passed, most)).Truncate(time.Second)) + " s of " + wholeSeconds(most) + " s"
}

// wholeSeconds counts seconds, the last one begun in full.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// untilPhrase puts the words before a time to come; what is due is "now" alone.
func untilPhrase(before, words string) string {
	if words == "now" {
		return words
	}
	return before + words
}

// countdown writes how long it is until t in two units, to the second: "7 min 12 s".
func countdown(t, now time.Time) string {
	d := t.Sub(now)
	if d < time.Second {
		return "now"
	}
	return Duration(d.Truncate(time.Second))
}

// inWords gives the largest unit only.
func inWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return Plural(int(d/(24*time.Hour)), "day", "days")
	}
}

// FullTime is a moment in full, as shown on hover: "21 Nov 2026, 14:41:22 UTC".
func FullTime(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05") + " UTC" }

// ClockTime is the time of day of a moment, in UTC: "14:41:22".
func ClockTime(t time.Time) string { return t.UTC().Format("15:04:05") }

// MachineTime is a moment for <time datetime>.
func MachineTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }

// ShortID shortens an id to its first 8 characters, "…" and the last 4. Shorter words stay as they are.
func ShortID(id string) string {
	if len(id) <= 13 {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

// SplitURL parts a URL for showing: host with port, and what follows it. The scheme is left out unless it is plain http.
func SplitURL(url string) (host, rest string) {
	if url == store.InboxURL {
		return "Test inbox", ""
	}
	shown := strings.TrimPrefix(url, "https://")
	start := 0
	if strings.HasPrefix(shown, "http://") {
		start = len("http://")
	}
	if i := strings.IndexAny(shown[start:], "/?"); i >= 0 {
		return shown[:start+i], shown[start+i:]
	}
	return shown, ""
}

// breaks parts a text where a line may end within it: behind the signs between the parts of an address or a name.
func breaks(text string) []string {
	const signs = "/.?&=_-:"
	var parts []string
	from := 0
	for i := 1; i < len(text); i++ {
		if strings.IndexByte(signs, text[i-1]) >= 0 && strings.IndexByte(signs, text[i]) < 0 {
			parts, from = append(parts, text[from:i]), i
		}
	}
	return append(parts, text[from:])
}
