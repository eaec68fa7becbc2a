package main

import (
	"fmt"
	"net/http"
	"strings"

	"belfry/worker/signature"
)

// The end of the flow: webhooks are changed and deleted, limits looked at.

func (f *flow) pauseAndResume() {
	f.open("/setup/webhooks")
	row, knob := "#webhook-"+f.hook, "#active-"+f.hook
	f.api("PATCH", "/webhooks/"+f.hook, `{"active":false}`, http.StatusOK, nil) // by somebody else
	f.comes(row, "Inactive")
	f.api("PATCH", "/webhooks/"+f.hook, `{"active":true}`, http.StatusOK, nil)
	f.comes(row, "Healthy")
	document, _ := evaluate[float64](f.p, "performance.timeOrigin")
	f.act(knob)
	f.p.seeText(".toast", "Paused Orders desk")
	f.p.seeText(row, "Inactive")
	f.p.seeText(row, "paused by mira")
	f.visitOnce("webhooks-paused")
	f.publish("call.ended", "missed")
	f.act(knob)
	f.p.seeText(".toast", "1 event came in meanwhile")
	f.p.until("it is on", "document.querySelector("+quote(knob)+").ariaChecked === 'true'")
	if now, _ := evaluate[float64](f.p, "performance.timeOrigin"); (now == document) == f.noScript {
		f.t.Errorf("toggled in place: %v, with scripts: %v", now == document, !f.noScript)
	}
	f.p.follow(".toast a")
	f.p.seeText("dialog#missed[open] h2", "Send 1 missed event?")
	f.visitOnce("dialog-missed")
	f.p.follow("dialog#missed button[type=submit]")
	f.to.await(f.t, signedPath, "missed")
	f.comes("#rows", "call.ended")
	f.visit("webhook")
	f.turnOnItsPage(knob)
}

func (f *flow) turnOnItsPage(knob string) {
	f.act(knob)
	f.p.seeText(".toast", "Paused Orders desk")
	f.p.seeText("#health", "Inactive")
	f.act(".toast .undo button")
	f.p.seeText(".toast", "is active again")
	f.p.until("it is on", "document.querySelector("+quote(knob)+").ariaChecked === 'true'")
}

func (f *flow) edit() {
	f.p.click(".head details.menu summary")
	f.visitOnce("webhook-menu")
	f.p.follow(".head a.menu-item[href$='/edit']")
	f.p.seeText("main", "can't be shown again")
	f.visit("webhook-edit")
	form := submitOf("/setup/webhooks/" + f.hook + "/edit")
	f.p.fill("#agent_id", strings.Repeat("a", 120))
	f.p.fill("#url", "not an address")
	f.p.fill("#description", "Orders, renamed")
	f.refused(form, http.StatusUnprocessableEntity)
	f.p.see("#url-error")
	f.focused("url")
	if got := f.p.value("#description"); got != "Orders, renamed" {
		f.t.Errorf("the description came back as %q", got)
	}
	f.fillURL(f.to.URL + signedPath)
	f.p.fill("#agent_id", "support-berlin")
	f.p.follow(form)
	f.p.seeText(".toast", "Saved.")
	f.p.seeText(".crumbs", "Orders, renamed")
	f.publish("call.ended", "after the edit")
	if got := f.to.await(f.t, signedPath, "after the edit"); got.header.Get("X-Env") != "staging-1234" {
		f.t.Errorf("the edit lost the custom header: %q", got.header.Get("X-Env"))
	}
}

func (f *flow) rotate() {
	f.open("/setup/webhooks/" + f.hook)
	f.openMenuDialog("rotate")
	f.visitOnce("dialog-rotate")
	f.check("dialog#rotate [name=secret_kind][value=own]")
	f.p.fill("dialog#rotate [name=secret]", "short")
	f.refused("dialog#rotate button[type=submit]", http.StatusUnprocessableEntity)
	f.p.see("dialog#rotate[open] .form-error")
	f.visitOnce("dialog-rotate-wrong")
	f.check("dialog#rotate [name=secret_kind][value=generate]")
	f.check("dialog#rotate [name=overlap_hours][value='24']")
	f.p.follow("dialog#rotate button[type=submit]")
	next := f.p.see("#secret")
	if next == f.secret {
		f.t.Fatal("the new secret is the old one")
	}
	f.publish("call.ended", "both sign")
	both := f.to.await(f.t, signedPath, "both sign")
	for _, secret := range []string{f.secret, next} {
		if err := signature.Verify(both.header, both.body, secret); err != nil {
			f.t.Errorf("within the overlap: %v", err)
		}
	}
	f.open("/setup/webhooks/" + f.hook)
	f.p.seeText("main", "Two secrets sign until")
	f.visit("webhook-overlap")
	f.p.follow("button[form=switch-secret]")
	f.p.seeText(".toast", "Only the new secret signs now")
	f.publish("call.ended", "one signs")
	one := f.to.await(f.t, signedPath, "one signs")
	if signature.Verify(one.header, one.body, next) != nil || signature.Verify(one.header, one.body, f.secret) == nil {
		f.t.Error("after switching the new secret alone must sign")
	}
}

func (f *flow) catalogue() {
	f.open("/setup/webhooks/catalogue")
	f.p.seeText("main", "order.paid") // discovered
	f.visit("catalogue")
	f.p.follow("main a[href$='/catalogue/new']")
	f.visit("catalogue-add")
	f.p.fill("#name", "Wrong Name")
	f.p.fill("#sample", `{"paid":true}`)
	f.refused(submitOf("/setup/webhooks/catalogue"), http.StatusUnprocessableEntity)
	f.focused("name")
	if got := f.p.value("#sample"); got != `{"paid":true}` {
		f.t.Errorf("the sample came back as %q", got)
	}
	f.visitOnce("catalogue-add-wrong")
	f.p.fill("#name", "order.shipped")
	f.p.follow(submitOf("/setup/webhooks/catalogue"))
	f.p.seeText("main", "order.shipped")
	f.open("/setup/webhooks/test?event=order.shipped")
	if got := f.p.value("#data"); !strings.Contains(got, "paid") {
		f.t.Errorf("a test of the new type begins with %q", got)
	}
}

func (f *flow) limits() {
	f.open("/setup/webhooks/limits")
	main := f.p.see("main")
	for _, want := range []string{"Webhooks", "2", "10", "1,000 per min", "Automatic retries", "Event data", "256 KiB"} {
		if !strings.Contains(main, want) {
			f.t.Errorf("the limits do not tell of %q", want)
		}
	}
	f.visit("limits")
}

func (f *flow) tooManyTests() {
	f.open(testPath + "?webhook=" + f.hook)
	f.p.fill("#data", `{"kept":1}`)
	for sent := 1; ; sent++ { // the flow sent one before, maybe a minute ago
		status, text := f.site.ask(f.key, "POST", "/api/v1/webhooks/"+f.hook+"/test", `{"event":"call.ended"}`)
		if status == http.StatusTooManyRequests {
			break
		}
		if status != http.StatusAccepted || sent > 20 {
			f.t.Fatalf("test %d: %d %s", sent, status, text)
		}
	}
	f.refused(submitOf(testPath), http.StatusTooManyRequests)
	f.p.seeText(".message", "The test was not sent.")
	if got := f.p.value("#data"); got != `{"kept":1}` {
		f.t.Errorf("the data came back as %q", got)
	}
	f.p.see("#test-form [aria-disabled=true]")
	f.visitOnce("send-test-too-many")
}

func (f *flow) deleteWebhook() {
	f.open("/setup/webhooks/" + f.hook)
	f.openMenuDialog("delete")
	f.p.seeText("dialog#delete h2", "Delete Orders, renamed?")
	f.visitOnce("dialog-delete")
	f.p.follow("dialog#delete button[type=submit]")
	f.p.seeText(".toast", "Deleted Orders, renamed.")
	if n := f.p.count("tbody tr"); n != 1 {
		f.t.Errorf("%d webhooks are left, want 1", n)
	}
	f.open("/setup/webhooks/" + f.hook)
	f.p.seeText("main", "Deleted on")
	f.p.seeText("#rows", "call.ended")
	f.visit("webhook-deleted")
}

func (f *flow) missing() {
	for _, path := range []string{"/setup/webhooks/" + strings.Repeat("0", 8) + "-0000-7000-8000-000000000000", "/nowhere"} {
		if status := f.p.open(f.site.url + path); status != http.StatusNotFound {
			f.t.Errorf("%s: %d, want 404", path, status)
		}
		f.p.expectFault("status of 404")
		f.p.see("h1")
	}
	f.visitOnce("not-found")
}

func (f *flow) signOutAndIn() {
	f.open("/setup/webhooks/limits")
	f.p.follow(".side " + submitOf("/logout"))
	f.open("/setup/webhooks/limits")
	f.p.waitURL("/login?next=")
	f.visit("sign-in")
	f.p.fill("#email", ownerEmail)
	f.p.fill("#password", "not the password")
	f.p.follow(submitOf("/login"))
	f.p.see(".form-error")
	f.takeStatus()
	if got := f.p.value("#email"); got != ownerEmail {
		f.t.Errorf("the e-mail came back as %q", got)
	}
	f.visitOnce("sign-in-wrong")
	f.p.fill("#password", ownerPassword)
	f.p.follow(submitOf("/login"))
	f.p.waitURL("/setup/webhooks/limits")
	f.p.seeText("h1", "Limits")
}

// takeStatus takes the browser's note of a refused form.
func (f *flow) takeStatus() {
	f.t.Helper()
	f.p.expectFault(fmt.Sprintf("status of %d", http.StatusUnprocessableEntity))
}
