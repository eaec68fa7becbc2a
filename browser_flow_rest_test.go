package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What else can be done on the pages, in the middle of the flow: it leaves the two
// webhooks as they were.

// findWebhooks sorts, searches and empties the list of webhooks.
func (f *flow) findWebhooks() {
	f.open("/setup/webhooks")
	f.act("thead th a[href*='sort=']")
	f.p.waitURL("sort=")
	f.p.see("thead th[aria-sort]")
	f.search("nothing holds this")
	f.p.seeText("#list", "Nothing matches these filters")
	f.p.follow("#list a.btn:not([data-live-show])")
	f.p.see("#webhook-" + f.hook)
}

// search fills in the text filter of a list; scripts apply it by themselves.
func (f *flow) search(text string) {
	f.t.Helper()
	f.p.fill(".filter-row [name=q]", text)
	if f.noScript {
		f.p.follow(".filter-row button[type=submit]")
	}
	f.p.waitURL("q=" + url.QueryEscape(text))
}

// findEvents filters events, and finds a delivery by its data from any page.
func (f *flow) findEvents() {
	f.open("/setup/webhooks/events")
	f.filter("event", "order.paid")
	f.p.seeText("#rows", "order.paid")
	if n := f.p.count("#rows a[href*='type=call']"); n != 0 {
		f.t.Errorf("%d events of another type match", n)
	}
	f.p.fill("form[role=search] [name=q]", "after the edit")
	f.p.press(kb.Enter)
	f.p.waitURL("/setup/webhooks/logs?q=after")
	f.p.follow("#rows a.main")
	f.p.follow(".neighbours a[href]")
	f.p.see("#delivery")
}

// exports takes out the log and the events, as what the page's own form asks for.
func (f *flow) exports() {
	for _, page := range []string{"/setup/webhooks/logs?status=delivered", "/setup/webhooks/events"} {
		f.open(page)
		f.p.click("#export summary")
		for format, begins := range map[string]string{"csv": "id,", "json": "[{"} {
			button := "#export button[value=" + format + "]"
			f.p.see(button)
			got, err := evaluate[string](f.p, fmt.Sprintf(`(() => {
				const button = document.querySelector(%s), to = new URL(button.form.action);
				to.search = new URLSearchParams(new FormData(button.form, button));
				return fetch(to).then(answer => answer.text());
			})()`, quote(button)), chromedp.EvalAwaitPromise)
			if squeezed := strings.Join(strings.Fields(got), ""); err != nil || !strings.HasPrefix(squeezed, begins) || !strings.Contains(got, "order.paid") {
				f.t.Errorf("%s as %s: %.200q, %v", page, format, got, err)
			}
		}
	}
}

// bulkResend begins to resend what is filtered, pauses, goes on and cancels.
func (f *flow) bulkResend() {
	f.open("/setup/webhooks/logs?status=delivered&webhook=" + f.other)
	f.p.follow("#deliveries .under-filters a.btn")
	f.p.seeText("main form", "100 per minute")
	f.p.follow("main form[method=post] button.primary")
	f.p.waitURL("/logs/resends/")
	for _, step := range []struct{ press, shows string }{{"pause", "Paused"}, {"continue", "Resending"}, {"cancel", "Cancelled"}} {
		f.act("#run form[action$='/" + step.press + "'] button")
		f.p.seeText("#run .run", step.shows)
	}
	f.open("/setup/webhooks/logs/resends")
	f.p.seeText("tbody", "Cancelled")
}

// checkSignature has the debugger look at a request.
func (f *flow) checkSignature() {
	f.open("/setup/webhooks/signature")
	f.p.fill("#body", `{"event":"call.ended"}`)
	f.p.fill("#headers", "webhook-id: msg_1\nwebhook-timestamp: 1795271400\nwebhook-signature: v1,AAAA")
	f.p.fill("#secret", "whsec_of-somebody-else")
	f.act("#debugger-form button[type=submit]")
	f.p.seeText("#checks", "Part by part")
}

// inbox tries Belfry's own receiver: with a test, and with the same once more.
func (f *flow) inbox() {
	f.open("/setup/webhooks/inbox")
	f.p.choose("#answer", "500")
	f.p.follow(submitOf("/setup/webhooks/inbox"))
	f.p.seeText(".toast", "Saved.")
	f.p.follow(submitOf("/setup/webhooks/inbox/start"))
	f.p.waitURL(testPath)
	_, inbox, _ := strings.Cut(f.p.url(), "webhook=")
	f.p.follow(submitOf(testPath))
	f.comes("#answer", "500")
	f.p.follow(submitOf(testPath + "/again"))
	f.comes("#answer", "500")
	f.open("/setup/webhooks/inbox")
	f.comes("#arrivals", "answered 500")
	f.p.until("both tests arrived", "document.querySelectorAll('#arrivals li').length >= 2")
	f.api("DELETE", "/webhooks/"+inbox, "", http.StatusNoContent, nil)
}

// dismissMissed declines to send what came in while a webhook was inactive.
func (f *flow) dismissMissed() {
	f.api("PATCH", "/webhooks/"+f.hook, `{"active":false}`, http.StatusOK, nil)
	f.publish("call.ended", "never sent")
	f.api("PATCH", "/webhooks/"+f.hook, `{"active":true}`, http.StatusOK, nil)
	f.open("/setup/webhooks/" + f.hook)
	f.act("#notices a[data-dialog=dismiss]")
	f.p.follow("dialog#dismiss[open] button[type=submit]")
	f.p.seeText(".toast", "Dismissed 1 missed event.")
}

// addHeader gives a webhook a second custom header; the first one's value stays.
func (f *flow) addHeader() {
	f.open("/setup/webhooks/" + f.hook + "/edit")
	row := ".header-row:nth-child(2) "
	if !f.noScript {
		f.p.click("[data-add-row]")
	}
	f.p.fill(row+"[name=header_name]", "X-Team")
	f.p.fill(row+"[name=header_value]", "desk")
	f.p.follow(submitOf("/setup/webhooks/" + f.hook + "/edit"))
	f.p.seeText(".toast", "Saved.")
	f.publish("call.ended", "two headers")
	if got := f.to.await(f.t, signedPath, "two headers").header; got.Get("X-Env") != "staging-1234" || got.Get("X-Team") != "desk" {
		f.t.Errorf("the headers are %q and %q", got.Get("X-Env"), got.Get("X-Team"))
	}
}
