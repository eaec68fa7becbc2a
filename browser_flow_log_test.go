package main

import (
	"fmt"
	"net/http"
	"strings"

	"belfry/worker/signature"
)

// The middle of the flow: tests, events and what the log says of them.

const testPath = "/setup/webhooks/test"

func (f *flow) sendTest() {
	f.open("/setup/webhooks/" + f.hook)
	f.p.follow(".head a[href*='" + testPath + "']")
	f.loadSample("message.received", "message_id")
	f.visitOnce("send-test")
	f.p.fill("#data", `{"message_id":`)
	if !f.noScript {
		f.p.seeText("#data-error", "Line 1, column 15")
	}
	f.refused(submitOf(testPath), http.StatusUnprocessableEntity)
	f.p.seeText("#data-error", "Line 1, column 15")
	f.focused("data")
	if got := f.p.value("#data"); got != `{"message_id":` {
		f.t.Errorf("the data came back as %q", got)
	}
	f.visitOnce("send-test-wrong")
	const data = `{"message_id":"m-1","conversation_id":"c-1","from_agent_id":"a-1","note":"edited"}`
	f.p.fill("#data", data)
	if f.noScript {
		f.p.follow("button[value=preview]")
	} else {
		f.p.until("right data is not called wrong", `!document.querySelector("#data[aria-invalid]")`)
	}
	f.p.seeText("#preview", "edited")
	letGo := f.to.hold(signedPath)
	f.p.follow(submitOf(testPath))
	f.p.seeText("#answer", "Sending…")
	f.visitOnce("send-test-waiting")
	letGo()
	if f.noScript {
		f.p.follow("#answer a[href*='wait=1']")
	}
	f.p.seeText("#answer", "Delivered")
	f.p.seeText("#answer", "seen")
	if !f.noScript {
		f.p.until("the answer is told", `document.querySelector("#said").textContent.startsWith("Delivered. 200")`)
	}
	f.signedTest(data)
	f.visit("send-test-answer")
	f.p.open(f.p.url())
	if n := f.to.count(signedPath); n != 1 {
		f.t.Errorf("%d tests arrived after a reload, want 1", n)
	}
}

// loadSample chooses an event and waits for its sample.
func (f *flow) loadSample(event, holds string) {
	f.t.Helper()
	f.p.choose("#event", event)
	if f.noScript {
		f.p.follow("button[value=sample]")
	}
	f.p.until("the sample is there", "document.querySelector('#data')?.value.includes("+quote(holds)+")")
}

// signedTest looks at what arrived: signed with the secret that was shown, with
// the data that was typed.
func (f *flow) signedTest(data string) {
	f.t.Helper()
	got := f.to.await(f.t, signedPath, "m-1")
	if err := signature.Verify(got.header, got.body, f.secret); err != nil {
		f.t.Errorf("the test does not verify with the secret that was shown: %v", err)
	}
	if !strings.Contains(string(got.body), `"data":`+data) {
		f.t.Errorf("the endpoint got %s, want the data %s", got.body, data)
	}
	if got.header.Get("X-Env") != "staging-1234" {
		f.t.Errorf("the custom header is %q", got.header.Get("X-Env"))
	}
}

func (f *flow) publishAndSee() {
	f.open("/setup/webhooks/logs")
	f.p.seeText("#rows", "message.received") // the test
	f.p.see("#rows .tag.test")
	rows := f.p.count("#rows tr")
	f.publish("call.ended", "first")
	f.to.await(f.t, signedPath, "first")
	f.comes("#rows", "call.ended")
	f.p.until("both deliveries are there", fmt.Sprintf("document.querySelectorAll('#rows tr').length === %d", rows+2))
	f.open("/setup/webhooks")
	f.comes("#webhook-"+f.hook, "Healthy")
}

func (f *flow) filterLog() {
	f.publishMany(60)
	f.open("/setup/webhooks/logs")
	f.comes("main", "Older")
	f.visit("logs")
	f.p.follow(".pager a")
	f.p.waitURL("before=")
	if n := f.p.count("#rows tr"); n == 0 || n > 50 {
		f.t.Errorf("%d rows on the second page", n)
	}
	f.p.follow(".pager a")
	f.p.waitURL("/setup/webhooks/logs")
	f.open("/setup/webhooks/logs")
	f.filter("webhook", f.hook)
	f.filter("event", "call.ended")
	f.filter("status", "delivered")
	f.p.until("one delivery is left", "document.querySelectorAll('#rows tr').length === 1")
	f.visit("logs-filtered")
	f.filter("status", "dead")
	f.p.seeText("#deliveries", "Nothing matches these filters")
	f.visit("logs-nothing")
	f.p.follow("#deliveries a[href='/setup/webhooks/logs']")
	f.p.see("#rows")
}

// publishMany publishes events that only the second webhook takes, and waits
// until all have arrived.
func (f *flow) publishMany(n int) {
	f.t.Helper()
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(`{"event":"order.paid","data":{"order":%d}}`, i)
	}
	f.api("POST", "/events/batch", "["+strings.Join(events, ",")+"]", http.StatusAccepted, nil)
	for range n {
		f.to.await(f.t, openPath, "order.paid")
	}
}

// filter sets one filter of the log; scripts apply it at once.
func (f *flow) filter(name, value string) {
	f.t.Helper()
	f.p.choose(".filter-row select[name="+name+"]", value)
	if f.noScript {
		f.p.follow(".filter-row button[type=submit]")
	}
	f.p.waitURL(name + "=" + value)
	f.p.until("the rows are there", "!document.querySelector('.htmx-request')")
}

func (f *flow) deliveryPage() {
	f.to.answer(signedPath, http.StatusInternalServerError)
	f.publish("call.failed", "refused")
	f.to.await(f.t, signedPath, "refused")
	f.open("/setup/webhooks/logs?status=pending")
	f.comes("#rows", "500")
	f.p.follow("#rows a.main")
	id := lastOf(f.p.url())
	f.p.seeText("#delivery", "Pending")
	f.p.seeText("#delivery", "answered 500")
	f.p.seeText(".phases", "Connect")
	f.p.seeText(".exchange", "x-webhook-signature")
	f.p.seeText(".exchange", "seen")
	f.visit("delivery-pending")
	if text, _ := evaluate[string](f.p, "document.body.innerText"); strings.Contains(text, "staging-1234") {
		f.t.Error("a custom header's value is shown")
	}
	f.to.answer(signedPath, http.StatusOK)
	f.api("POST", "/deliveries/"+id+"/resend", "", http.StatusAccepted, nil)
	f.comes(".title", "Delivered")
	f.p.until("both attempts are there", "document.querySelectorAll('.attempt').length === 2")
	f.visit("delivery-delivered")
	f.p.follow(".attempt")
	f.p.waitURL("attempt=1")
	f.p.seeText(".exchange", "500")
}

func (f *flow) resend() {
	f.act(".head a[data-dialog=resend]")
	f.p.see("dialog#resend[open]")
	f.visitOnce("dialog-resend")
	before := f.to.count(signedPath)
	f.p.follow("dialog#resend button[type=submit]")
	f.comes(".attempts", "Attempt 3")
	if n := f.to.count(signedPath) - before; n != 1 {
		f.t.Errorf("one resend sent %d requests", n)
	}
}

func (f *flow) eventPages() {
	f.p.follow(".facts a[href*='/events/']")
	f.p.seeText("h1", "call.failed")
	f.p.seeText("main", "refused") // its data
	f.p.seeText(".event-cols", "Its delivery")
	f.visit("event")
	f.open("/setup/webhooks/events")
	f.p.seeText("tbody", "order.paid")
	f.visit("events")
}
