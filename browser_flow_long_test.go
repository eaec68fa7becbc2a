package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// longNames shows the longest values that are taken on every page that repeats
// them.
func (f *flow) longNames() {
	hook, delivery, event := f.longData()
	for name, path := range map[string]string{
		"webhooks": "", "webhook": "/" + hook, "edit": "/" + hook + "/edit", "delete": "/" + hook + "?confirm=delete", "logs": "/logs?webhook=" + hook,
		"delivery": "/deliveries/" + delivery, "events": "/events", "event": "/events/" + event, "test": "/test?webhook=" + hook, "catalogue": "/catalogue",
	} {
		f.open("/setup/webhooks" + path)
		for _, width := range []int64{wide, 1000, narrow} {
			f.p.lookAs(look{Width: width})
			f.p.fits()
		}
		f.p.screenshot("long-" + name)
	}
}

// longData is a webhook with the longest values, and an event delivered to it.
func (f *flow) longData() (hook, delivery, event string) {
	f.t.Helper()
	path := "/hooks/" + strings.Repeat("a-long-path/", 20)
	kind := "order." + strings.Repeat("very_long_name", 6)
	agent := strings.Repeat("agent", 25)
	var made, list, published json.RawMessage
	f.api("POST", "/event-types", fmt.Sprintf(`{"name":%q,"description":%q}`, kind, strings.Repeat("w", 200)), http.StatusCreated, &made)
	f.api("POST", "/webhooks", fmt.Sprintf(`{"url":%q,"description":%q,"agent_id":%q,"events":[%q,"call.*"],"headers":{%q:"v"}}`,
		f.to.URL+path, strings.Repeat("Unbroken", 40), agent, kind, "X-"+strings.Repeat("Header", 9)), http.StatusCreated, &made)
	hook = idOf(f.t, made)
	f.to.answer(path, http.StatusInternalServerError)
	f.api("POST", "/events", fmt.Sprintf(`{"event":%q,"agent_id":%q,"data":{%q:%q}}`, kind, agent, strings.Repeat("k", 90), strings.Repeat("v", 900)), http.StatusAccepted, &published)
	f.to.await(f.t, path, kind)
	f.api("GET", "/webhooks/"+hook+"/deliveries", "", http.StatusOK, &list)
	return hook, idOf(f.t, list), idOf(f.t, published)
}
