package worker

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/worker/outbound"
)

// maxRetryAfter is the longest wait that an endpoint may ask for.
const maxRetryAfter = 24 * time.Hour

// schedule gives the wait after the made-th attempt since the schedule began
// (1, 2, …), moved by up to 20 % either way; jitter is from 0 to 1. Attempts
// beyond the schedule's end keep to its last wait.
func schedule(waits []time.Duration, made int, jitter float64) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	wait := waits[min(max(made-1, 0), len(waits)-1)]
	return time.Duration(float64(wait) * (0.8 + 0.4*jitter)).Truncate(time.Microsecond)
}

// retryAfter gives the wait that a 429 or 503 asks for (RFC 9110, section
// 10.2.3: seconds or a date), 24 hours at most; 0 where it asks for none.
func retryAfter(a outbound.Answer, now time.Time) time.Duration {
	if a.StatusCode != http.StatusTooManyRequests && a.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	for _, h := range a.Header {
		if strings.EqualFold(h.Name, "Retry-After") {
			return parseRetryAfter(strings.TrimSpace(h.Value), now)
		}
	}
	return 0
}

func parseRetryAfter(value string, now time.Time) time.Duration {
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return maxRetryAfter // more digits than any wait needs
		}
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
