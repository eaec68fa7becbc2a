package main

import "strings"

const firstStepsPath = "/setup/webhooks/first-steps"

// What a page shows more of when asked, and the first steps, which go away.

// endFirstSteps dismisses the first steps; to a new session they are back, and the
// last of them ends them too, with what the test sent.
func (f *flow) endFirstSteps() {
	f.open("/setup/webhooks")
	f.p.seeText("#first-steps .done", "The last one: 200 in")
	f.visit("webhooks-first-steps")
	f.p.follow(submitOf(firstStepsPath))
	f.p.see("#webhook-" + f.hook)
	f.p.gone("#first-steps")
	f.p.follow(".side " + submitOf("/logout"))
	f.signIn(ownerEmail)
	f.p.seeText("#first-steps [aria-current=step]", "See it")
	f.p.follow("#first-steps a[href='" + firstStepsPath + "/test']")
	f.p.waitURL("/setup/webhooks/deliveries/")
	f.p.see(".head .tag.test")
	f.open("/setup/webhooks")
	f.p.gone("#first-steps")
}

// compareAttempts puts the second attempt of the delivery beside the first, and
// has the bodies as they were sent.
func (f *flow) compareAttempts() {
	f.act("#exchange a[href*='with=2']")
	f.p.waitURL("with=2")
	f.p.seeText("#difference", "500")
	f.p.seeText("#difference", "x-webhook-attempt")
	f.p.seeText("#exchange .segments [aria-current]", "Attempt 2")
	f.visit("delivery-compared")
	f.act("#exchange a[href*='body=raw']")
	f.p.waitURL("body=raw")
	f.p.see("#difference")
	if raw := f.p.see("#request-body"); !strings.HasPrefix(raw, `{"event":"call.failed",`) {
		f.t.Errorf("the raw body begins with %.40q", raw)
	}
	f.act("#exchange a[href*='attempt=1']:not([href*='with='])")
	f.p.gone("#difference")
}

// typeDetails opens a type of the catalogue: what it holds, who takes it, and the
// way to its deliveries.
func (f *flow) typeDetails() {
	f.open("/setup/webhooks/catalogue")
	kind := "details[id='order.paid']"
	f.p.click(kind + " summary")
	f.p.seeText(kind+" .type-body", "There is none: any JSON object will do.")
	f.p.seeText(kind+" .subs", "1")
	f.p.click("details[id='call.ended'] summary")
	f.p.seeText("details[id='call.ended'] .type-body", `"call_id"`)
	f.visitOnce("catalogue-open")
	f.p.follow(kind + " .type-body .push a")
	f.p.waitURL("event=order.paid")
	f.p.seeText("#rows", "order.paid")
}
