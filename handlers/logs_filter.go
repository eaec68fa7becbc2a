package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/views"
	"belfry/worker/outbound"
)

const (
	logsPath = "/setup/webhooks/logs"
	livePath = logsPath + "/live"
	// logPage is how many rows a page of the log has, countMost how far its
	// deliveries are counted.
	logPage   = 50
	countMost = 10_000
)

// logFilter is the filters of the log as they stand in its address.
type logFilter struct {
	Webhook, Agent, Event, Status, Error, Code, Time, Text string
	From, To                                               string // instead of Time, RFC 3339
	Before, After                                          uuid.UUID
}

// logFilterNames are the names of the filters in the address, in their order.
var logFilterNames = [...]string{"webhook", "agent", "event", "status", "error", "code", "time", "from", "to", "q"}

func (f *logFilter) field(name string) *string {
	switch name {
	case "webhook":
		return &f.Webhook
	case "agent":
		return &f.Agent
	case "event":
		return &f.Event
	case "status":
		return &f.Status
	case "error":
		return &f.Error
	case "code":
		return &f.Code
	case "time":
		return &f.Time
	case "from":
		return &f.From
	case "to":
		return &f.To
	}
	return &f.Text
}

// readLogFilter reads the filters of the address; words that mean nothing are
// as if they weren't there.
func readLogFilter(c echo.Context) logFilter {
	var f logFilter
	for _, name := range logFilterNames {
		*f.field(name) = strings.TrimSpace(c.QueryParam(name))
	}
	if _, ok := store.ParseStatus(f.Status); !ok && f.Status != "held" {
		f.Status = ""
	}
	if !slices.Contains(failureKinds(), f.Error) {
		f.Error = ""
	}
	if code, err := strconv.Atoi(f.Code); err != nil || code < 100 || code > 999 {
		f.Code = ""
	}
	if spanOf(f.Time) == 0 {
		f.Time = ""
	}
	if _, err := time.Parse(time.RFC3339, f.From); err != nil {
		f.From = ""
	}
	if _, err := time.Parse(time.RFC3339, f.To); err != nil {
		f.To = ""
	}
	f.Before, f.After = cursor(c, "before"), cursor(c, "after")
	return f
}

// cursor reads the id that a page ends at; one that is none is the first page.
func cursor(c echo.Context, name string) uuid.UUID {
	id, err := uuid.Parse(c.QueryParam(name))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// failureKinds is the closed list of reasons why an attempt fails.
func failureKinds() []string {
	return []string{
		outbound.KindDNS, outbound.KindConnect, outbound.KindTLS, outbound.KindTimeout, outbound.KindReset, outbound.KindRedirect,
		outbound.KindStatus, outbound.KindBlockedAddress, outbound.KindBadResponse, outbound.KindGone, outbound.KindInterrupted,
	}
}

func spanOf(word string) time.Duration {
	switch word {
	case "1h":
		return time.Hour
	case "24h":
		return 24 * time.Hour
	case "7d":
		return 7 * 24 * time.Hour
	case "30d":
		return 30 * 24 * time.Hour
	}
	return 0
}

// set says whether anything is filtered.
func (f logFilter) set() bool { return f.query("").Encode() != "" }

// query is the address of the filters without one of them, and without the
// place in the pages.
func (f logFilter) query(without string) url.Values {
	q := url.Values{}
	for _, name := range logFilterNames {
		if value := *f.field(name); value != "" && name != without {
			q.Set(name, value)
		}
	}
	return q
}

func (f logFilter) address(path string, more ...string) string {
	q := f.query("")
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return withQuery(path, q)
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// filter is what the store is asked for. A webhook that is no id leads nowhere.
func (f logFilter) filter(now time.Time) (store.DeliveryFilter, error) {
	out := store.DeliveryFilter{
		AgentID: f.Agent, Event: f.Event, Held: f.Status == "held", Error: f.Error, Text: f.Text,
		Before: f.Before, After: f.After, Limit: logPage,
	}
	if f.Webhook != "" {
		id, err := uuid.Parse(f.Webhook)
		if err != nil {
			return out, errNoSuchID()
		}
		out.WebhookID = id
	}
	if status, ok := store.ParseStatus(f.Status); ok {
		out.Status = []store.Status{status}
	}
	out.Code, _ = strconv.Atoi(f.Code)
	if span := spanOf(f.Time); span > 0 {
		out.From = now.Add(-span)
	}
	if from, err := time.Parse(time.RFC3339, f.From); err == nil {
		out.From = from
	}
	if to, err := time.Parse(time.RFC3339, f.To); err == nil {
		out.To = to
	}
	return out, nil
}

// chips are the filters that are set, each with the address without it.
func (f logFilter) chips(words map[string]string) []views.Link {
	var links []views.Link
	for _, name := range logFilterNames {
		value := *f.field(name)
		if value == "" {
			continue
		}
		if word := words[name+"="+value]; word != "" {
			value = word
		}
		links = append(links, views.Link{Label: value, Href: withQuery(logsPath, f.query(name))})
	}
	return links
}
