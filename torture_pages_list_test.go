package main

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// timedPage is an address and how long it may take.
type timedPage struct {
	path   string
	within time.Duration
	times  int    // how often the long form asks for it
	key    bool   // it is of the API
	begun  bool   // it is taken for answered once it begins
	says   string // what it must say in the long form
}

const (
	webhooksPath = "/setup/webhooks"
	logPath      = webhooksPath + "/logs"
	eventPath    = webhooksPath + "/events"
)

// pages are all that the test asks for; in its short form each kind once.
func (l *longLog) pages() []timedPage {
	pages := slices.Concat(l.singlePages(), l.indexedLogs(), l.searchedLogs(), l.apiLists())
	if *torture {
		pages = slices.Concat(pages, l.combinations())
	}
	return pages
}

// timed gives addresses the time they may take.
func timed(within time.Duration, paths ...string) (pages []timedPage) {
	for _, path := range paths {
		pages = append(pages, timedPage{path: path, within: within, times: 200})
	}
	return pages
}

// singlePages are all pages but the log.
func (l *longLog) singlePages() []timedPage {
	webhook, delivery := webhooksPath+"/"+l.webhook, webhooksPath+"/deliveries/"+l.delivery
	pages := timed(foundWithin,
		webhooksPath, webhooksPath+"?q=hook", webhooksPath+"?sort=health", webhook, webhook+"?range=1h", webhook+"?range=7d", webhook+"?range=30d", webhook+"/edit", webhook+"/secret",
		delivery, delivery+"?webhook="+l.webhook, delivery+"?status=failed", delivery+"?error=status", delivery+"?agent=nobody", delivery+"?code=418", delivery+"?event=call.*",
		eventPath, eventPath+"/"+l.event, eventPath+"?event=call.missed", eventPath+"?event="+rareType, eventPath+"?before="+idAt(15*24*time.Hour), eventPath+"?after="+idAt(40*24*time.Hour),
		eventPath+"?time=24h", eventPath+"?time=30d&event=call.held", eventPath+"?q="+l.event, eventPath+"?q="+l.event[:13],
		webhooksPath+"/limits", webhooksPath+"/catalogue", logPath+"/resends", webhooksPath+"/test", "/setup/api-keys",
		"/setup/find?q=hook", "/setup/find?q="+l.delivery, "/setup/find?q="+l.event[:9],
	)
	return append(pages, timed(lookedWithin,
		eventPath+"?q=nowhere", eventPath+"?agent=nobody", eventPath+"?agent="+rareAgent, eventPath+"?event=task.*", eventPath+"?event=call.missed&agent=nobody",
		delivery+"?q=nowhere", logPath+"/resend", logPath+"/resend?webhook="+l.webhook, logPath+"/resend?status=delivered", logPath+"/resend?agent=nobody", logPath+"/resend?q=nowhere",
		logPath+"/resend?error=status&time=7d",
	)...)
}

// logWith is the address of the log with filters and a place.
func logWith(parts ...string) string {
	given := slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	if len(given) == 0 {
		return logPath
	}
	return logPath + "?" + strings.Join(given, "&")
}

// places are where in the log a page may be: at its newest, in the middle in both
// directions, and at both ends.
func places() []string {
	return []string{"", "before=" + idAt(15*24*time.Hour), "after=" + idAt(15*24*time.Hour), "before=" + idAt(28*24*time.Hour+23*time.Hour), "after=" + idAt(40*24*time.Hour), "after=" + idAt(time.Minute)}
}

// between is a day in the middle of the log, the one with what is rare.
func between() string {
	from := time.Now().Add(-16 * 24 * time.Hour)
	return url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {from.Add(24 * time.Hour).UTC().Format(time.RFC3339)}}.Encode()
}

// indexedLogs is the log with what an index answers.
func (l *longLog) indexedLogs() (pages []timedPage) {
	webhook := "webhook=" + l.webhook
	for _, filter := range []string{
		"", webhook, "status=failed", "status=dead", "status=pending", "status=processing",
		webhook + "&status=failed", webhook + "&status=dead", webhook + "&status=pending", webhook + "&status=processing",
		"event=call.missed", "event=" + rareType, "event=call.held", "error=status", "error=timeout", "error=" + rareError, "error=dns",
	} {
		for _, place := range sized(places()[:2], places()) {
			pages = append(pages, timed(foundWithin, logWith(filter, place))...)
		}
	}
	for _, filter := range []string{
		"time=15m", "time=1h", "time=24h", "time=7d", "time=30d", between(),
		"time=7d&" + webhook, "time=7d&status=failed", "time=7d&event=call.missed", "time=30d&event=call.held", "time=7d&error=status", between() + "&" + webhook + "&status=failed", between() + "&error=" + rareError,
		"q=" + l.delivery, "q=" + l.event, "q=" + l.webhook, "q=" + l.delivery[:8], "q=" + l.delivery[:13],
	} {
		pages = append(pages, timed(foundWithin, logWith(filter))...)
	}
	return pages
}

// searchedLogs is the log with what has to be looked for, and its exports.
func (l *longLog) searchedLogs() (pages []timedPage) {
	for _, filter := range []string{"status=delivered", "status=held", "event=call.*", "code=500"} {
		for _, place := range sized(places()[:1], places()) {
			pages = append(pages, timed(lookedWithin, logWith(filter, place))...)
		}
	}
	for _, filter := range []string{"q=nowhere+to+be+found", "agent=nobody", "agent=" + rareAgent, "code=418", "event=task.*"} {
		for _, place := range sized(places()[:1], places()[:3]) {
			p := timedPage{path: logWith(filter, place), within: lookedWithin, times: 60, says: "Go on"}
			pages = append(pages, p)
		}
	}
	for _, export := range []string{logPath + "/export?format=csv", logPath + "/export?format=json&data=1&status=failed", eventPath + "/export?format=csv"} {
		pages = append(pages, timedPage{path: export, within: lookedWithin, times: 200, begun: true})
	}
	return pages
}

// apiLists is what the API lists.
func (l *longLog) apiLists() (pages []timedPage) {
	webhook := "/api/v1/webhooks/" + l.webhook
	middle := "cursor=" + idAt(15*24*time.Hour)
	for _, path := range []string{
		"/api/v1/webhooks", webhook, webhook + "/deliveries", webhook + "/deliveries?limit=100&" + middle, webhook + "/deliveries?limit=100&offset=10000",
		webhook + "/deliveries?status=failed", webhook + "/deliveries?status=failed&" + middle, webhook + "/deliveries/summary", "/api/v1/deliveries/" + l.delivery,
		"/api/v1/events", "/api/v1/events?limit=100&" + middle, "/api/v1/events?event=call.missed", "/api/v1/events/" + l.event, "/api/v1/event-types", "/api/v1/limits",
	} {
		pages = append(pages, timedPage{path: path, within: foundWithin, times: 200, key: true})
	}
	for _, path := range []string{webhook + "/deliveries?status=delivered&" + middle, "/api/v1/events?agent_id=nobody", "/metrics"} {
		pages = append(pages, timedPage{path: path, within: lookedWithin, times: 200, key: true})
	}
	return pages
}

// combinations is the log with each two and three of its filters together, with
// values that many have, few, and none.
func (l *longLog) combinations() (pages []timedPage) {
	filters := []string{
		"webhook=" + l.webhook, "status=failed", "status=delivered", "status=held", "event=call.missed", "event=call.*", "event=" + rareType, "error=status", "error=" + rareError,
		"code=500", "code=418", "agent=" + rareAgent, "time=24h", between(), "q=nowhere",
	}
	add := func(times int, of ...string) {
		pages = append(pages, timedPage{path: logWith(of...), within: lookedWithin, times: times})
	}
	for i, one := range filters {
		for j, two := range filters[:i] {
			if sameFilter(one, two) {
				continue
			}
			add(20, two, one)
			add(10, two, one, "before="+idAt(15*24*time.Hour))
			for _, three := range filters[:j] {
				if !sameFilter(one, three) && !sameFilter(two, three) {
					add(2, three, two, one)
				}
			}
		}
	}
	return pages
}

// sameFilter says that both are values of one filter.
func sameFilter(a, b string) bool {
	name := func(filter string) string {
		before, _, _ := strings.Cut(filter, "=")
		return strings.Replace(before, "from", "time", 1)
	}
	return name(a) == name(b)
}
