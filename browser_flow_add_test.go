package main

import (
	"net/http"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The first part of the flow: from an empty database to webhooks and a key.

// submitOf is the button that sends the form to this path.
func submitOf(action string) string { return "form[action='" + action + "'] button[type=submit]" }

func (f *flow) welcome() {
	code, ok := f.site.out.wait(`/welcome\n[^-]*\n +(\w{4}-\w{4}-\w{4}-\w{4})\n`, f.site.ended)
	if !ok {
		f.t.Fatalf("no first-run code was printed:\n%s", f.site.out)
	}
	f.open("/")
	f.p.waitURL("/welcome")
	f.visit("welcome")
	send := submitOf("/welcome")
	f.p.fill("#code", "AAAA-BBBB-CCCC-DDDD")
	f.p.fill("#email", ownerEmail)
	f.p.fill("#password", ownerPassword)
	f.refused(send, http.StatusUnprocessableEntity)
	f.focused("code")
	if got := f.p.value("#email"); got != ownerEmail {
		f.t.Errorf("the e-mail came back as %q", got)
	}
	f.visitOnce("welcome-wrong")
	f.p.fill("#code", code)
	f.p.fill("#password", ownerPassword)
	f.p.follow(send)
	f.p.waitURL("/setup/webhooks")
}

func (f *flow) emptyList() {
	f.p.seeText("h2", "Send your first event somewhere")
	f.p.seeText(".me", ownerEmail)
	f.visit("webhooks-empty")
	f.open("/setup/webhooks/logs")
	f.p.seeText("main h2", "No deliveries yet")
	f.visit("logs-empty")
}

func (f *flow) addWrong() {
	f.open("/setup/webhooks")
	f.p.follow("main a[href='/setup/webhooks/new']")
	f.visit("webhook-add")
	f.fillURL("https://10.0.0.1/hook")
	f.p.fill("#description", "Orders desk")
	f.check("[name=which][value=some]")
	f.check("[name=secret_kind][value=own]")
	f.p.fill("#secret", "short")
	f.refused(submitOf("/setup/webhooks"), http.StatusUnprocessableEntity)
	f.p.seeText(".summary", "3 things")
	f.p.seeText("#url-error", "private")
	f.focused("faults")
	for field, want := range map[string]string{"#url": "https://10.0.0.1/hook", "#description": "Orders desk", "#secret": "short"} {
		if got := f.p.value(field); got != want {
			f.t.Errorf("%s came back as %q, want %q", field, got, want)
		}
	}
	if f.p.count("[name=which][value=some]:checked") != 1 {
		f.t.Error("the choice of events was lost")
	}
	f.visitOnce("webhook-add-wrong")
}

// mend changes what was wrong; scripts strike it from the list.
func (f *flow) mend() {
	f.fillURL(f.to.URL + signedPath)
	f.p.fill("#secret", "long enough")
	f.p.press(kb.Tab)
	if f.noScript {
		return
	}
	f.p.seeText(".summary", "1 thing needs another look")
	f.p.until("the secret is no longer called wrong", "getComputedStyle(document.querySelector('#secret-error')).visibility === 'hidden'")
	f.check("[data-type][value='call.started']")
	f.p.seeText(".summary", "All of this was changed")
	f.visitOnce("webhook-add-mended")
	f.p.click("[data-picker-clear]")
}

func (f *flow) addWebhook() {
	f.mend()
	if !f.noScript {
		f.p.seeText("#url-ticks", "Plain http")
		f.p.gone("#url-error")
	}
	f.pickEvents()
	f.check("[name=secret_kind][value=generate]")
	f.p.fill("#agent_id", "support-berlin")
	f.p.fill("[name=header_name]", "X-Env")
	f.p.fill("[name=header_value]", "staging-1234")
	f.visitOnce("webhook-add-filled")
	f.doubleClick(submitOf("/setup/webhooks"))
	f.p.waitURL("/secret")
}

// fillURL types the endpoint's URL and leaves the field; scripts have it
// checked then.
func (f *flow) fillURL(url string) {
	f.t.Helper()
	f.p.fill("#url", url)
	if !f.noScript {
		f.p.press(kb.Tab)
		f.p.seeText("#url-ticks", "Well formed")
	}
}

// pickEvents chooses one type and one whole group.
func (f *flow) pickEvents() {
	f.check("[name=which][value=some]")
	if !f.noScript {
		f.p.fill("[data-picker-search]", "ended")
		f.p.gone("[data-type][value='call.missed']")
	}
	f.check("[data-type][value='call.ended']")
	if !f.noScript {
		f.p.seeText("#sample", "call.ended")
		f.p.fill("[data-picker-search]", "")
	}
	f.check("[data-type][value='call.failed']")
	f.check("[data-group][value='message.*']")
	if !f.noScript {
		f.p.seeText("[data-chosen]", "6 of ")
	}
}

// doubleClick presses the mouse twice, as impatient people do.
func (f *flow) doubleClick(selector string) {
	f.t.Helper()
	at, err := evaluate[[]float64](f.p, spot(selector))
	if err != nil || len(at) != 2 {
		f.p.fatalf("double click %s: it can't be clicked (%v)", selector, err)
	}
	f.p.do("double click "+selector, chromedp.MouseClickXY(at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
}

func (f *flow) secretPage() {
	f.secret = f.p.see("#secret")
	if !strings.HasPrefix(f.secret, "whsec_") {
		f.t.Fatalf("the secret is %q", f.secret)
	}
	f.p.seeText("#snippet", f.secret)
	f.visitOnce("secret")
	f.act("nav[aria-label=Language] a[href*='lang=go']")
	f.p.seeText("#snippet", "package main")
	f.p.seeText("#snippet", f.secret)
	f.p.open(f.p.url())
	f.p.seeText("h1", "can't be shown again")
	if text, err := evaluate[string](f.p, "document.documentElement.outerHTML"); err != nil || strings.Contains(text, f.secret) {
		f.t.Errorf("the secret is on the page after a reload (%v)", err)
	}
	f.visit("secret-gone")
}

func (f *flow) webhookPage() {
	f.open("/setup/webhooks")
	if n := f.p.count("tbody tr"); n != 1 {
		f.t.Fatalf("%d webhooks after a double click, want 1", n)
	}
	f.p.follow("th a.main")
	f.hook = lastOf(f.p.url())
	strip := f.p.see(".strip")
	for _, word := range []string{"Pending", "Processing", "Delivered", "Failed", "Dead", "All"} {
		if !strings.Contains(strip, word) {
			f.t.Errorf("the numbers lack %s: %q", word, strip)
		}
	}
	f.p.seeText(".facts", "support-berlin")
	f.p.seeText("main h2", "No deliveries yet")
	f.visit("webhook-new")
}

func (f *flow) addUnsigned() {
	f.open("/setup/webhooks/new")
	f.fillURL(f.to.URL + openPath)
	f.check("[name=secret_kind][value=none]")
	f.p.follow(submitOf("/setup/webhooks"))
	f.p.seeText(".toast", "not signed")
	f.other = lastOf(f.p.url())
	f.p.seeText(".facts", "Not signed")
	f.open("/setup/webhooks")
	f.p.seeText("main", "2 of 10 used")
	f.visit("webhooks-two")
}

func (f *flow) makeKey() {
	f.open("/setup/api-keys")
	f.visit("keys-empty")
	f.p.follow("main a[href='/setup/api-keys/new']")
	f.p.fill("#name", "ci")
	f.check("[name=scopes][value=publish]")
	f.check("[name=scopes][value=manage]")
	f.visitOnce("key-form")
	f.p.follow(submitOf("/setup/api-keys"))
	f.key = f.p.see("#key")
	if !strings.HasPrefix(f.key, "bf_") {
		f.t.Fatalf("the key is %q", f.key)
	}
	f.visitOnce("key-fresh")
	f.open("/setup/api-keys")
	f.p.seeText("tbody", "ci")
	if text, err := evaluate[string](f.p, "document.documentElement.outerHTML"); err != nil || strings.Contains(text, f.key) {
		f.t.Errorf("the key is on the page a second time (%v)", err)
	}
	f.visit("keys")
}

func (f *flow) revokeKey() {
	f.open("/setup/api-keys")
	f.p.follow("tbody a[href*='revoke=']")
	f.p.seeText("dialog[open] h2", "Revoke ci?")
	f.visitOnce("dialog-revoke")
	f.p.follow("dialog[open] button[type=submit]")
	f.p.seeText("tbody", "revoked")
	if status, _ := f.site.ask(f.key, "GET", "/api/v1/limits", ""); status != http.StatusUnauthorized {
		f.t.Errorf("a revoked key is answered with %d, want 401", status)
	}
}
