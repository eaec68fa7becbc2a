package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/uuid"
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
	Webhook, Agent, Event, Status, Error, Code, Text string
	timeRange
	Before, After uuid.UUID
	// Unknown is what of the address means nothing here.
	Unknown unknowns
}

func (f *logFilter) filters() listFilter {
	return slices.Concat(listFilter{
		anyText("webhook", &f.Webhook),
		anyText("agent", &f.Agent),
		anyText("event", &f.Event),
		oneOf("status", &f.Status, "all statuses", "pending", "held", "processing", "delivered", "failed", "dead"),
		oneOf("error", &f.Error, "all kinds of errors", failureKinds()...),
		written("code", &f.Code, "all codes", "a code is a number from 100 to 999", isCode),
	}, f.timeRange.filters(), listFilter{anyText("q", &f.Text)})
}

func isCode(text string) bool {
	code, err := strconv.Atoi(text)
	return err == nil && code >= 100 && code <= 999
}

// readLogFilter reads the filters of the address. What means nothing is as if
// it weren't there, but is named: besides are the names that mean something
// without being filters.
func readLogFilter(c echo.Context, besides ...string) logFilter {
	var f logFilter
	f.Unknown = f.filters().read(c.QueryParams(), append(besides, "before", "after")...)
	f.settle(c.QueryParams().Has("time"))
	f.Before, f.After = cursor(c, "before"), cursor(c, "after")
	return f
}

// failureKinds is the closed list of reasons why an attempt fails.
func failureKinds() []string {
	return []string{
		outbound.KindDNS, outbound.KindConnect, outbound.KindTLS, outbound.KindTimeout, outbound.KindReset, outbound.KindRedirect,
		outbound.KindStatus, outbound.KindBlockedAddress, outbound.KindBadResponse, outbound.KindGone, outbound.KindInterrupted,
	}
}

// set says whether anything is filtered.
func (f *logFilter) set() bool { return len(f.query()) > 0 }

// query is the filters in the address, without some of them.
func (f *logFilter) query(without ...string) url.Values { return f.filters().query(without...) }

// address is a path with the filters, and with names and values besides.
func (f *logFilter) address(path string, more ...string) string {
	return f.filters().address(path, more...)
}

// filter is what the store is asked for. A webhook that is no id leads nowhere.
func (f *logFilter) filter(now time.Time) (store.DeliveryFilter, error) {
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
	out.From, out.To = f.bounds(now)
	return out, nil
}
