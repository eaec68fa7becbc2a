package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"slices"
)

// busyScreens are the pages of the demo's account.
var busyScreens = []screen{
	{name: "webhooks", path: at("/setup/webhooks")},
	{name: "webhook-healthy", path: hookAt("crm", "?range=7d"), says: "Healthy"},
	{name: "webhook-failing", path: hookAt("billing", "?range=1h"), says: "Failing"},
	{name: "webhook-probing", path: hookAt("payroll", ""), says: "Probing"},
	{name: "webhook-slow", path: hookAt("archive", "?range=30d"), says: "Slow"},
	{name: "webhook-paused", path: hookAt("staging", ""), says: "Inactive"},
	{name: "webhook-deactivated", path: hookAt("old-crm", ""), says: "Inactive"},
	{name: "webhook-rotate", path: hookAt("crm", "?confirm=rotate")},
	{name: "webhook-rotating", do: (*screens).rotateSecret, path: hookAt("chat", ""), says: "Healthy"},
	{name: "webhook-edit", path: hookAt("billing", "/edit")},
	{name: "webhook-delete", path: hookAt("old-crm", "?confirm=delete")},
	{name: "logs", path: at("/setup/webhooks/logs")},
	{name: "logs-filtered", path: at("/setup/webhooks/logs?status=failed&time=7d")},
	{name: "logs-nothing", path: at("/setup/webhooks/logs?q=nothing-holds-this")},
	{name: "delivery-delivered", path: deliveryWith("status=delivered&event=call.ended"), says: "Delivered"},
	{name: "delivery-pending", path: (*screens).waiting, says: "Pending"},
	{name: "delivery-held", path: deliveryWith("status=held"), says: "held"},
	{name: "delivery-failed", path: deliveryWith("status=failed"), says: "Failed"},
	{name: "delivery-dead", path: deliveryWith("status=dead"), says: "Dead"},
	{name: "delivery-compared", path: (*screens).twoAttempts, says: "Failed"},
	{name: "events", path: at("/setup/webhooks/events")},
	{name: "event", path: func(s *screens) string {
		s.open("/setup/webhooks/events?event=call.ended")
		return s.link("a[href^='/setup/webhooks/events/']")
	}},
	{name: "event-nobody", path: func(s *screens) string {
		s.open("/setup/webhooks/events?event=message.received")
		return s.link("a[href^='/setup/webhooks/events/']")
	}, says: "message.received"},
	{name: "add", path: at("/setup/webhooks/new")},
	{name: "add-errors", do: (*screens).addWithErrors},
	{name: "send-test", path: at("/setup/webhooks/test")},
	{name: "send-test-answer", do: func(s *screens) { s.sendTestTo("crm", "Delivered") }},
	{name: "send-test-failed", do: func(s *screens) { s.sendTestTo("payroll", "Not delivered") }},
	{name: "inbox", path: at("/setup/webhooks/inbox")},
	{name: "signature", path: at("/setup/webhooks/signature")},
	{name: "signature-checked", do: (*screens).checkSignature},
	{name: "resend", path: at("/setup/webhooks/logs/resend?status=failed")},
	{name: "resends", do: (*screens).resendFew, path: at("/setup/webhooks/logs/resends")},
	{name: "resend-run", path: func(s *screens) string {
		s.open("/setup/webhooks/logs/resends")
		return s.link("main tbody a[href^='/setup/webhooks/logs/resends/']")
	}},
	{name: "catalogue", path: at("/setup/webhooks/catalogue")},
	{name: "catalogue-open", path: at("/setup/webhooks/catalogue?open=call.ended")},
	{name: "catalogue-add", path: at("/setup/webhooks/catalogue/new")},
	{name: "catalogue-errors", do: (*screens).addTypeWithErrors},
	{name: "limits", path: at("/setup/webhooks/limits")},
	{name: "api-keys", path: at("/setup/api-keys")},
	{name: "api-key-revoke", path: func(s *screens) string {
		s.open("/setup/api-keys")
		return s.address("main a[href*='revoke=']")
	}},
	{name: "palette", do: (*screens).findByPalette},
	{name: "shortcuts", do: (*screens).openShortcuts},
	{name: "api-key-add", path: at("/setup/api-keys/new")},
	{name: "api-key-errors", do: (*screens).createKeyWithErrors},
	{name: "api-key-made", do: (*screens).createKey},
	{name: "styleguide", path: at("/styleguide")},
	{name: "not-found", path: at("/setup/webhooks/0190d2c1-0000-7000-8000-000000000000")},
	{name: "secret", do: (*screens).addForSecret},
	{name: "webhooks-full", path: at("/setup/webhooks")},
	{name: "webhook-missed", do: (*screens).switchOn, path: hookAt("staging", ""), says: "staging"},
	{name: "webhook-missed-asked", path: hookAt("staging", "?confirm=missed"), says: "staging"},
}

// firstScreens are what a new installation shows, in the order of the first run.
var firstScreens = []screen{
	{name: "welcome", path: at("/welcome")},
	{name: "webhooks-empty", do: (*screens).becomeOwner},
	{name: "logs-empty", path: at("/setup/webhooks/logs")},
	{name: "webhooks-first-steps", do: (*screens).addFirst, path: at("/setup/webhooks")},
	{name: "inbox-filled", do: (*screens).fillInbox, path: at("/setup/webhooks/inbox")},
	{name: "sign-in", do: func(s *screens) {
		s.p.follow(".side " + submitOf("/logout"))
		s.open("/login")
	}},
	{name: "sign-in-refused", do: func(s *screens) {
		s.p.fill("#email", ownerEmail)
		s.p.fill("#password", "not "+ownerPassword)
		s.p.follow(submitOf("/login"))
		s.p.seeText("[role=alert]", "don't belong together")
	}},
}

func (s *screens) addWithErrors() {
	s.open("/setup/webhooks/new")
	s.p.fill("#url", "https://10.0.0.1/hook")
	s.p.fill("#description", "Orders desk")
	s.check("[name=which][value=some]")
	s.check("[name=secret_kind][value=own]")
	s.p.fill("#secret", "short")
	s.p.follow(submitOf("/setup/webhooks"))
	s.p.see(".summary")
}

func (s *screens) addForSecret() {
	s.open("/setup/webhooks/new")
	s.p.fill("#url", "https://orders"+demoDomain+"/hooks")
	s.p.fill("#description", "Orders desk")
	s.p.follow(submitOf("/setup/webhooks"))
	s.p.waitURL("/secret")
	s.p.see("#secret")
}

func (s *screens) addFirst() {
	s.open("/setup/webhooks/new")
	s.p.fill("#url", "https://hooks.example.com/belfry")
	s.p.follow(submitOf("/setup/webhooks"))
	s.p.waitURL("/secret")
}

func (s *screens) sendTestTo(host, outcome string) {
	s.open(hookAt(host, "")(s))
	s.p.follow(".head a[href*='" + testPath + "']")
	s.p.follow(submitOf(testPath))
	s.p.seeText("#answer", outcome)
}

func (s *screens) addTypeWithErrors() {
	s.open("/setup/webhooks/catalogue/new")
	s.p.fill("#name", "Order paid")
	s.p.fill("#sample", `{"order_id": }`)
	s.p.fill("#schema", "[]")
	s.p.follow(submitOf("/setup/webhooks/catalogue"))
	s.p.see(".summary")
}

func (s *screens) createKeyWithErrors() {
	s.open("/setup/api-keys/new")
	s.p.click("[name=scopes][value=publish]")
	s.p.follow(submitOf("/setup/api-keys"))
	s.p.see(".form-error")
}

func (s *screens) createKey() {
	s.open("/setup/api-keys/new")
	s.p.fill("#name", "telephony-prod")
	s.p.follow(submitOf("/setup/api-keys"))
	s.p.see("#fresh-key")
}

// switchOn has a paused webhook offer what it missed.
func (s *screens) switchOn() {
	s.open(hookAt("staging", "")(s))
	s.p.click(".head .switch")
	s.p.seeText("main .message", "Active again")
}

// twoAttempts is a failed delivery with two of its attempts compared.
func (s *screens) twoAttempts() string {
	s.open(deliveryWith("status=failed")(s))
	return s.address("#exchange .section-head .segments a:last-child")
}

// rotateSecret has two secrets of a webhook sign for a day.
func (s *screens) rotateSecret() {
	s.open(hookAt("chat", "")(s))
	s.openMenuDialog("rotate")
	s.check("dialog#rotate [name=overlap_hours][value='24']")
	s.p.follow("dialog#rotate button[type=submit]")
	s.p.see("#secret")
}

func (s *screens) findByPalette() {
	s.open("/setup/webhooks")
	s.openPalette()
	s.p.press("billing")
	s.p.seeText("#palette-list", "Search the log for")
}

func (s *screens) openShortcuts() {
	s.open("/setup/webhooks")
	s.p.press("?")
	s.p.see("dialog#shortcuts[open]")
}

// fillInbox lets a test arrive.
func (s *screens) fillInbox() {
	s.open("/setup/webhooks/inbox")
	s.p.follow(submitOf("/setup/webhooks/inbox/start"))
	s.p.waitURL(testPath)
	s.p.follow(submitOf(testPath))
	s.p.seeText("#answer", "Delivered")
	s.open("/setup/webhooks/inbox")
	s.p.seeText("#arrivals", "answered 200")
}

// resendFew resends what failed on one webhook, so that there is a run.
func (s *screens) resendFew() {
	path := hookAt("billing", "")(s)
	s.open("/setup/webhooks/logs/resend?status=delivered&time=1h&webhook=" + lastOf(path))
	s.p.follow("main form[method=post] button.primary")
	s.p.waitURL("/setup/webhooks/logs")
}

// waiting is a delivery that waits for its next attempt, where there is one that
// no probe holds.
func (s *screens) waiting() string {
	if s.open("/setup/webhooks/logs?status=pending&error=status"); s.p.count("#rows > tr") == 0 {
		s.open("/setup/webhooks/logs?status=pending")
	}
	return s.link("#rows > tr:last-child a[href^='/setup/webhooks/deliveries/']")
}

func (s *screens) becomeOwner() {
	code, ok := s.site.out.wait(`/welcome\n[^-]*\n +(\w{4}-\w{4}-\w{4}-\w{4})\n`, s.site.ended)
	if !ok {
		s.t.Fatalf("no first-run code was printed:\n%s", s.site.out)
	}
	s.open("/welcome")
	s.p.fill("#code", code)
	s.p.fill("#email", ownerEmail)
	s.p.fill("#password", ownerPassword)
	s.p.follow(submitOf("/welcome"))
	s.p.waitURL("/setup/webhooks")
}

// How high a picture may be, how many colours it has and how far these are from
// each other: a page's own, and some for the soft edges of its letters.
const (
	screenHeight  = 1600
	screenColours = 112
	screenHues    = 60 // of those taken first, so that a rare hue is not lost
	screenApart   = 10
)

// slim makes a small picture of a screen shot.
func slim(shot []byte) ([]byte, error) {
	whole, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	size := whole.Bounds()
	size.Max.Y = min(size.Max.Y, screenHeight)
	few := image.NewPaletted(size, mainColours(whole, size))
	draw.Draw(few, size, whole, size.Min, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, few)
	return out.Bytes(), err
}

// mainColours are the colours that a picture has most of, none near another.
func mainColours(of image.Image, size image.Rectangle) color.Palette {
	counts := map[color.RGBA]int{}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			counts[color.RGBAModel.Convert(of.At(x, y)).(color.RGBA)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, apartBy := range []int{screenHues, screenApart} {
		for _, c := range all {
			near := slices.ContainsFunc(palette, func(p color.Color) bool { return apart(c, p.(color.RGBA)) < apartBy })
			if len(palette) < screenColours && !near {
				palette = append(palette, c)
			}
		}
	}
	return palette
}

// apart is how much two colours differ, channel by channel.
func apart(a, b color.RGBA) int {
	between := func(x, y uint8) int { return max(int(x), int(y)) - min(int(x), int(y)) }
	return between(a.R, b.R) + between(a.G, b.G) + between(a.B, b.B)
}
