package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"belfry/store/storetest"
)

// flow is one admin's way through the whole product, against the real program.
type flow struct {
	t        *testing.T
	window   *browser
	p        *tab
	noScript bool
	env      map[string]string
	site     *running
	to       *endpoint

	hook   string // id of the first webhook, which signs
	other  string // id of the second one, which does not and takes all events
	secret string // of the first
	key    string // an API key that may do everything
}

const (
	ownerEmail    = "mira@example.com"
	ownerPassword = "a bell in the belfry"
	signedPath    = "/hooks/orders" // where the first webhook leads
	openPath      = "/hooks/all"    // and the second
)

// flowSteps is the way, in order: each step begins where the one before ended.
var flowSteps = []struct {
	name string
	do   func(f *flow)
}{
	{"the first owner is made with the printed code", (*flow).welcome},
	{"no webhook yet teaches what one is", (*flow).emptyList},
	{"wrong input is kept and named", (*flow).addWrong},
	{"a webhook is added, once", (*flow).addWebhook},
	{"the secret is shown once", (*flow).secretPage},
	{"the webhook's page counts by status", (*flow).webhookPage},
	{"a second webhook goes unsigned", (*flow).addUnsigned},
	{"a test is sent and answered on the page", (*flow).sendTest},
	{"the first steps end", (*flow).endFirstSteps},
	{"an API key is made and shown once", (*flow).makeKey},
	{"an event published by API appears in the log", (*flow).publishAndSee},
	{"the log is filtered and paged", (*flow).filterLog},
	{"a failed attempt is explained, and its page follows what happens", (*flow).deliveryPage},
	{"its attempts are compared, and a body seen as it was sent", (*flow).compareAttempts},
	{"a delivery that arrived is resent after a question", (*flow).resend},
	{"an event tells who got it", (*flow).eventPages},
	{"a webhook is paused and resumed in the list", (*flow).pauseAndResume},
	{"a webhook is edited", (*flow).edit},
	{"a pause is undone in a list that was searched", (*flow).undoInTheList},
	{"the numbers of a chart are read as a table", (*flow).chartTables},
	{"its secret is rotated with an overlap", (*flow).rotate},
	{"the catalogue takes a type of one's own", (*flow).catalogue},
	{"a type of the catalogue opens", (*flow).typeDetails},
	{"limits stand beside their use", (*flow).limits},
	{"the list of webhooks is sorted and searched", (*flow).findWebhooks},
	{"events are filtered, and a delivery is found by its data", (*flow).findEvents},
	{"the log is cut by two moments, and filters are taken off", (*flow).timeRange},
	{"the log and the events go out as files", (*flow).exports},
	{"many deliveries are resent, paused and cancelled", (*flow).bulkResend},
	{"a signature is checked", (*flow).checkSignature},
	{"the test inbox answers as it is told", (*flow).inbox},
	{"missed events are dismissed after a question", (*flow).dismissMissed},
	{"a webhook gets one more header", (*flow).addHeader},
	{"too many tests are refused on the page", (*flow).tooManyTests},
	{"a webhook is deleted after a question", (*flow).deleteWebhook},
	{"a key is revoked", (*flow).revokeKey},
	{"what isn't there is said on a page", (*flow).missing},
	{"one signs out and in again", (*flow).signOutAndIn},
}

func TestTheWholeFlowInABrowser(t *testing.T) {
	for _, noScript := range []bool{false, true} {
		name := "with scripts"
		if noScript {
			name = "without scripts"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newFlow(t, noScript).run()
		})
	}
}

// newFlow starts the program on an empty database, an endpoint and a browser.
func newFlow(t *testing.T, noScript bool) *flow {
	t.Helper()
	f := &flow{t: t, noScript: noScript, env: environmentFor(storetest.NoDatabase(t)), to: newEndpoint(t)}
	f.site = boot(t, f.env, "-addr", "127.0.0.1:0", "-allow-targets", "127.0.0.0/8", "-retries", "1h,6h")
	f.window = startBrowser(t)
	return f
}

// run goes all steps. What only looks wrong lets it go on; a step that can't be
// finished ends it.
func (f *flow) run() {
	root, pages := f.t, &policies{}
	f.p = f.window.newTab(f.t, look{NoScript: f.noScript})
	defer func() { f.t, f.p.t = root, root }()
	pages.watch(f.p)
	for _, step := range flowSteps {
		finished := false
		root.Run(step.name, func(t *testing.T) {
			f.t, f.p.t = t, t
			began := time.Now()
			step.do(f)
			f.p.failOnFaults()
			t.Logf("took %v", time.Since(began).Round(time.Millisecond))
			finished = true
		})
		if !finished {
			return
		}
	}
	pages.check(root)
}

// open goes to a path of the site; it has to be there.
func (f *flow) open(path string) {
	f.t.Helper()
	if status := f.p.open(f.site.url + path); status != http.StatusOK {
		f.p.fatalf("%s: status %d", path, status)
	}
}

// act presses something that htmx does in place, or that the browser follows
// where no scripts run.
func (f *flow) act(selector string) {
	f.t.Helper()
	if f.noScript {
		f.p.follow(selector)
	} else {
		f.p.click(selector)
	}
}

// comes waits until an element shows the words: by itself where scripts run,
// by reloading where not.
func (f *flow) comes(selector, words string) {
	f.t.Helper()
	if !f.noScript {
		f.p.seeText(selector, words)
		return
	}
	shown := fmt.Sprintf("Array.from(document.querySelectorAll(%s)).some(el => el.innerText.includes(%s))", quote(selector), quote(words))
	for limit := time.Now().Add(patience); time.Now().Before(limit); f.p.open(f.p.url()) {
		if ok, err := evaluate[bool](f.p, shown); err == nil && ok {
			return
		}
	}
	f.p.fatalf("reloaded for %v in vain until %s shows %q", patience, selector, words)
}

// check ticks a box or picks a radio button, unless it is already.
func (f *flow) check(selector string) {
	f.t.Helper()
	if ok, err := evaluate[bool](f.p, "document.querySelector("+quote(selector)+")?.checked === true"); err == nil && ok {
		return
	}
	f.p.click(selector)
	f.p.until(selector+" is checked", "document.querySelector("+quote(selector)+").checked")
}

// refused follows a form that must come back with a status, and takes the
// browser's note of it.
func (f *flow) refused(selector string, status int) {
	f.t.Helper()
	f.p.follow(selector)
	f.p.expectFault(fmt.Sprintf("status of %d", status))
}

// focused waits until the field with this id has the focus.
func (f *flow) focused(id string) {
	f.t.Helper()
	f.p.until(id+" has the focus", "document.activeElement?.id === "+quote(id))
}

// openMenuDialog opens a dialog from the page's menu: in place, or by the link
// to the page with the dialog open.
func (f *flow) openMenuDialog(id string) {
	f.t.Helper()
	f.p.click(".head details.menu summary")
	f.act(".head a.menu-item[data-dialog=" + id + "]")
	f.p.see("dialog#" + id + "[open]")
}

// api calls the JSON API with the flow's key; the answer must have the status,
// and is read into the value where one is given.
func (f *flow) api(method, path, body string, status int, into any) {
	f.t.Helper()
	got, text := f.site.ask(f.key, method, "/api/v1"+path, body)
	if got != status {
		f.t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			f.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// publish publishes an event about the agent that the first webhook is bound
// to and gives its id.
func (f *flow) publish(event, note string) (id string) {
	f.t.Helper()
	var published struct{ ID string }
	f.api("POST", "/events", fmt.Sprintf(`{"event":%q,"agent_id":"support-berlin","data":{"note":%q}}`, event, note), http.StatusAccepted, &published)
	return published.ID
}

// lastOf is the last part of an address's path.
func lastOf(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path[strings.LastIndex(path, "/")+1:]
}
