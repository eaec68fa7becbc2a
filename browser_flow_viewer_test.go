package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// TestPagesBesideTheFlow looks at what the flow does not pass, each with a
// window and a sign-in of its own beside data that is already there.
func TestPagesBesideTheFlow(t *testing.T) {
	t.Parallel()
	f := newFlow(t, false)
	delivery, event := f.someData()
	for _, part := range []struct {
		name, email string
		do          func()
	}{
		{"a viewer reads all and changes nothing", "vera@example.com", func() { f.readsAll(delivery, event) }},
		{"waiting rows are counted while the log is paused", ownerEmail, f.pauseLog},
		{"a webhook's page shows its first row by itself, and lets others wait for whoever is in its rows", ownerEmail, func() { f.firstRow(); f.holdRows() }},
		{"long names scroll nothing sideways", ownerEmail, f.longNames},
	} {
		t.Run(part.name, func(t *testing.T) {
			f.t, f.p = t, f.window.newTab(t, look{})
			f.signIn(part.email)
			part.do()
		})
	}
	f.t = t
}

// readsAll goes where a viewer may: every page is there, nothing on it can be
// sent, and what is sent all the same is refused.
func (f *flow) readsAll(delivery, event string) {
	for _, path := range []string{
		"", "/" + f.hook, "/logs", "/deliveries/" + delivery, "/events", "/events/" + event, "/test", "/catalogue", "/limits",
	} {
		f.open("/setup/webhooks" + path)
		f.readsOnly()
	}
	f.open("/setup/api-keys")
	f.readsOnly()
	f.p.screenshot("viewer-keys")
	f.open("/setup/webhooks/" + f.hook)
	f.visit("viewer-webhook")
	for _, path := range []string{
		"", "/" + f.hook + "/toggle", "/" + f.hook + "/edit", "/" + f.hook + "/rotate-secret", "/" + f.hook + "/switch-secret", "/" + f.hook + "/send-missed",
		"/" + f.hook + "/delete", "/deliveries/" + delivery + "/resend", "/test", "/catalogue",
	} {
		f.forbidden("POST", "/setup/webhooks"+path)
	}
	f.forbidden("POST", "/setup/api-keys")
	for _, path := range []string{"/new", "/" + f.hook + "/edit", "/" + f.hook + "/secret", "/catalogue/new"} {
		f.forbidden("GET", "/setup/webhooks"+path)
	}
	var hook struct{ Active bool }
	f.api("GET", "/webhooks/"+f.hook, "", http.StatusOK, &hook)
	if !hook.Active {
		f.t.Error("the viewer paused a webhook")
	}
}

// someData makes a webhook and an event that is delivered to it, and people: an
// owner and a viewer.
func (f *flow) someData() (delivery, event string) {
	f.t.Helper()
	for email, role := range map[string]string{ownerEmail: "owner", "vera@example.com": "viewer"} {
		must(f.t, f.env, ownerPassword, "user", "add", "-email", email, "-role", role)
	}
	f.key = strings.TrimSpace(must(f.t, f.env, "", "key", "add", "-name", "ci"))
	var hook, list json.RawMessage
	f.api("POST", "/webhooks", `{"url":"`+f.to.URL+signedPath+`","description":"Orders desk"}`, http.StatusCreated, &hook)
	f.hook = idOf(f.t, hook)
	event = f.publish("call.ended", "seen by all")
	f.to.await(f.t, signedPath, "seen by all")
	f.api("GET", "/webhooks/"+f.hook+"/deliveries", "", http.StatusOK, &list)
	return idOf(f.t, list), event
}

// idOf is the first id in an answer of the API.
func idOf(t *testing.T, answer []byte) string {
	t.Helper()
	_, id, found := strings.Cut(string(answer), `"id":"`)
	if !found || len(id) < 36 {
		t.Fatalf("no id in %s", answer)
	}
	return id[:36]
}

func (f *flow) signIn(email string) {
	f.t.Helper()
	f.open("/login")
	f.p.fill("#email", email)
	f.p.fill("#password", ownerPassword)
	f.p.follow(submitOf("/login"))
	f.p.waitURL("/setup/webhooks")
}

// readsOnly looks for anything on the page that sends something.
func (f *flow) readsOnly() {
	f.t.Helper()
	f.p.see("main h1")
	found, err := evaluate[[]string](f.p, `Array.from(document.querySelectorAll(
		"main form[method=post], main [hx-post], main .switch, main dialog, main a[href$='/new'], main a[href$='/edit'], main a[href*='confirm='], main a[href*='revoke=']"
	)).map(el => el.outerHTML.slice(0, 120))`)
	if err != nil {
		f.p.fatalf("look for forms: %v", err)
	}
	for _, element := range found {
		f.t.Errorf("%s lets a viewer do something: %s", f.p.url(), element)
	}
}

// forbidden sends a request from the page, which must be refused with 403.
func (f *flow) forbidden(method, path string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.p.ctx, patience)
	defer cancel()
	status, err := chromedp.Run(ctx, chromedp.Evaluate[int](`fetch(`+quote(path)+`, {method: `+quote(method)+`, redirect: "manual",
		body: `+quote(method)+` === "POST" ? new URLSearchParams({active: "false", token: "t"}) : undefined}).then(answer => answer.status)`, chromedp.EvalAwaitPromise))
	if err != nil || status != http.StatusForbidden {
		f.t.Errorf("%s %s by a viewer: %d (%v), want 403", method, path, status, err)
		return
	}
	f.p.expectFault("status of 403")
}

// pauseLog holds live rows back while the reader paused the log, and shows them
// when it goes on.
func (f *flow) pauseLog() {
	f.open("/setup/webhooks/logs")
	f.p.seeText("#rows", "call.ended")
	f.p.click("[data-live-pause]")
	if words := f.p.see(".live-now") + ", " + f.p.see("[data-live-pause]"); !strings.HasPrefix(words, "Paused") || !strings.HasSuffix(words, "Resume") {
		f.t.Errorf("while paused it says %q", words)
	}
	f.publish("call.missed", "while paused")
	f.to.await(f.t, signedPath, "while paused")
	f.p.seeText("[data-live-held]", "1 new")
	if n := f.p.count("#rows tr"); n != 1 {
		f.t.Errorf("%d rows while paused, want the 1 from before", n)
	}
	f.p.click("[data-live-pause]")
	f.p.seeText("#rows", "call.missed")
	f.p.until("the count is gone", "document.querySelector('[data-live-held]').textContent === ''")
}

// holdRows leaves the rows of a webhook's page as they are while one of them has
// the focus.
func (f *flow) holdRows() {
	f.open("/setup/webhooks/" + f.hook)
	f.p.until("a row has the focus", "document.querySelector('#rows a.main').focus(), document.activeElement.matches('#rows a')")
	rows := f.p.count("#rows tr")
	f.publish("order.paid", "while in the rows")
	f.to.await(f.t, signedPath, "while in the rows")
	f.p.seeText("[data-live-held]", "1 new")
	if n := f.p.count("#rows tr"); n != rows {
		f.t.Errorf("%d rows while one has the focus, want the %d from before", n, rows)
	}
	f.p.seeText("#numbers", fmt.Sprint(rows+1))
	f.p.until("no row has the focus", "document.activeElement.blur(), !document.activeElement.matches('#rows a')")
	f.p.seeText("#rows", "order.paid")
	f.p.until("the count is gone", "document.querySelector('[data-live-held]').textContent === ''")
}

// firstRow waits for the first delivery on the page of a webhook, with the pointer
// where its row will stand: there is no row yet that could move.
func (f *flow) firstRow() {
	var added json.RawMessage
	f.api("POST", "/webhooks", `{"url":"`+f.to.URL+openPath+`","events":["call.missed"]}`, http.StatusCreated, &added)
	f.open("/setup/webhooks/" + idOf(f.t, added))
	f.p.seeText("#recent-deliveries", "No deliveries yet")
	at, err := evaluate[[]float64](f.p, `(() => {
		document.querySelector("#recent-deliveries").scrollIntoView({block: "center"});
		window.announced = [];
		new MutationObserver(() => { const b = document.querySelector("[data-live-show]"); if (b && !b.hidden) announced.push(b.textContent); })
			.observe(document.body, {subtree: true, attributes: true, childList: true});
		const box = document.querySelector("#recent-deliveries .empty-part").getBoundingClientRect();
		return [box.x + box.width / 2, box.y + box.height / 2];
	})()`)
	if err != nil {
		f.p.fatalf("look where the row will stand: %v", err)
	}
	f.p.do("point there", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	f.p.until("the pointer is in the list", "document.querySelector('#recent-deliveries').matches(':hover')")
	f.publish("call.missed", "the first one")
	f.to.await(f.t, openPath, "the first one")
	f.p.seeText("#recent-deliveries #rows", "Delivered")
	if said, err := evaluate[[]string](f.p, "announced"); err != nil || len(said) > 0 {
		f.t.Errorf("the first row was announced by a button: %q (%v)", said, err)
	}
}
