package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keyboardSteps are the main flow for somebody without a mouse, in order: each
// begins where the one before ended.
var keyboardSteps = []struct {
	name string
	do   func(s *screens)
}{
	{"one gets past the navigation", (*screens).skipByKeys},
	{"a webhook is added with events from the tree", (*screens).addByKeys},
	{"a test is sent", (*screens).testByKeys},
	{"the log is filtered and a delivery opened", (*screens).filterByKeys},
	{"it is resent after a question", (*screens).resendByKeys},
	{"a webhook is paused and resumed with its switch", (*screens).pauseByKeys},
	{"a menu opens, and closes where it was", (*screens).menuByKeys},
	{"the webhook is deleted from its menu", (*screens).deleteByKeys},
	{"the palette leads to another page", (*screens).paletteByKeys},
	{"the list of shortcuts opens and closes", (*screens).shortcutsByKeys},
}

// walkByKeyboard goes the main flow with keys alone, from signing in. The focus
// must be seen at every stop and never be lost.
func (s *screens) walkByKeyboard() {
	root := s.t
	defer func() { s.t, s.p.t = root, root }()
	for _, step := range keyboardSteps {
		if !root.Run("by keyboard: "+step.name, func(t *testing.T) {
			s.t, s.p.t = t, t
			s.p.lookAs(look{})
			step.do(s)
			s.p.failOnFaults()
		}) {
			return
		}
	}
}

// focusHere says what is wrong with the focus, or nothing.
const focusHere = `(() => {
	` + shows + `
	const el = document.activeElement;
	if (!el || el === document.body) return "nothing has the focus";
	const what = el.tagName.toLowerCase() + (el.id ? "#" + el.id : "") + "." + el.className;
	const box = (el.getBoundingClientRect().width > 1 ? el : el.parentElement).getBoundingClientRect();
	if (!box.width || box.bottom <= 0 || box.top >= innerHeight) return what + " has the focus out of sight";
	return el.tabIndex < 0 || shows(el) ? "" : what + " does not show the focus";
})()`

// focusSeen fails the test where the focus is lost or not to be seen.
func (p *tab) focusSeen() {
	p.t.Helper()
	if fault, err := evaluate[string](p, focusHere); err != nil || fault != "" {
		p.t.Errorf("%s: %s (%v)", p.url(), fault, err)
	}
}

// tabTo presses Tab until an element that matches has the focus. The page's end
// may be passed once.
func (p *tab) tabTo(selector string) {
	p.t.Helper()
	ends := 0
	for range 250 {
		p.press(kb.Tab)
		if at, err := evaluate[bool](p, "document.activeElement === document.body"); err == nil && at {
			if ends++; ends > 1 {
				break
			}
			continue
		}
		p.focusSeen()
		if at, err := evaluate[bool](p, fmt.Sprintf("document.activeElement.matches(%s)", quote(selector))); err == nil && at {
			return
		}
	}
	p.fatalf("Tab never comes to %s", selector)
}

// enter goes with Tab to what matches and presses Enter, which leads to another page.
func (p *tab) enter(selector string) {
	p.t.Helper()
	p.tabTo(selector)
	p.leave(kb.Enter)
}

// leave presses a key that leads to another page.
func (p *tab) leave(key string) {
	p.t.Helper()
	before, err := evaluate[float64](p, "performance.timeOrigin")
	if err != nil {
		p.fatalf("press a key: %v", err)
	}
	p.press(key)
	p.arrive("a key", before)
}

// keepsFocus waits until an element has the focus, as after a part of the page
// was replaced.
func (p *tab) keepsFocus(selector string) {
	p.t.Helper()
	p.until(selector+" has the focus", fmt.Sprintf("document.activeElement.matches(%s)", quote(selector)))
	p.focusSeen()
}

func (s *screens) skipByKeys() {
	s.open("/setup/webhooks")
	s.p.tabTo(".skip")
	s.p.press(kb.Enter)
	s.p.keepsFocus("main")
	s.p.enter("main a[href='/setup/webhooks/new']")
}

func (s *screens) addByKeys() {
	s.p.tabTo("#url")
	s.p.press("https://orders" + demoDomain + "/keys")
	s.p.press(kb.Tab)
	s.p.seeText("#url-ticks", "Well formed")
	s.p.focusSeen()
	s.p.enter("main a[href$='url=inbox:']")
	s.p.tabTo("#description")
	s.p.press("Added by keys")
	s.p.tabTo("[name=which]")
	s.p.press(kb.ArrowDown)
	s.p.keepsFocus("[name=which][value=some]")
	s.p.tabTo("[data-picker-search]")
	s.p.press("ended")
	s.p.tabTo("[data-picker] [data-group]")
	s.p.press(kb.ArrowDown)
	s.p.keepsFocus("[data-type]")
	s.p.press(" ")
	s.p.until("a type is chosen", "document.querySelectorAll('[data-type]:checked').length === 1")
	s.p.seeText("#sample", "call.ended")
	s.p.keepsFocus("[data-type]")
	s.p.press(kb.ArrowLeft)
	s.p.keepsFocus("[data-picker] summary")
	s.p.enter(submitOf("/setup/webhooks"))
	s.p.waitURL("/secret")
	s.hook = lastOf(strings.TrimSuffix(s.p.url(), "/secret"))
	s.p.tabTo("nav[aria-label=Language] a[href*='lang=go']")
	s.p.press(kb.Enter)
	s.p.seeText("#snippet", "package main")
	s.p.keepsFocus("nav[aria-label=Language] a[href*='lang=go']")
	s.p.enter(".form-actions a[href*='" + testPath + "']")
}

func (s *screens) testByKeys() {
	s.p.tabTo("#event")
	s.p.press("message.r")
	s.p.until("the sample is there", "document.querySelector('#data')?.value.includes('message_id')")
	s.p.keepsFocus("#event")
	s.p.tabTo("#data")
	s.p.press(" ")
	s.p.enter(submitOf(testPath) + ".primary")
	s.p.seeText("#answer", "Delivered")
}

func (s *screens) filterByKeys() {
	s.p.enter("#side-nav a[href='/setup/webhooks/logs']")
	for _, filter := range [][2]string{{"event", "call.ended"}, {"status", "delivered"}} {
		field := ".filter-row select[name=" + filter[0] + "]"
		s.p.tabTo(field)
		s.p.press(filter[1])
		s.p.waitURL(filter[0] + "=" + filter[1])
		s.p.until("nothing is fetched", "!document.querySelector('.htmx-request')")
		s.p.keepsFocus(field)
	}
	s.p.tabTo(".under-filters a.link")
	s.p.enter("#rows a.main")
	s.p.waitURL("/deliveries/")
}

func (s *screens) resendByKeys() {
	trigger := ".head a[data-dialog=resend]"
	s.p.tabTo(trigger)
	s.p.press(kb.Enter)
	s.p.see("dialog#resend[open]")
	s.p.keepsFocus("dialog#resend [data-close]") // the safe choice
	s.p.press(kb.Escape)
	s.p.gone("dialog#resend")
	s.p.keepsFocus(trigger)
	s.p.press(kb.Enter)
	s.p.keepsFocus("dialog#resend [data-close]")
	s.p.enter("dialog#resend button[type=submit]")
	s.p.seeText(".attempts", "Attempt 2")
}

func (s *screens) pauseByKeys() {
	s.p.enter("#side-nav a[href='/setup/webhooks']")
	s.p.tabTo("#list .switch")
	id, err := evaluate[string](s.p, "document.activeElement.id")
	if err != nil || id == "" {
		s.p.fatalf("the switch has no id (%v)", err)
	}
	for _, want := range []string{"false", "true", "false"} {
		s.p.press(" ")
		s.p.until("the switch says "+want, fmt.Sprintf("document.getElementById(%s)?.ariaChecked === %s", quote(id), quote(want)))
		s.p.keepsFocus("#" + id)
	}
	s.p.tabTo(".toast .undo button")
	s.p.press(kb.Enter)
	s.p.until("it is undone", fmt.Sprintf("document.getElementById(%s)?.ariaChecked === 'true'", quote(id)))
	s.p.keepsFocus("main, .toast button") // the word is gone with its button, and another may have come
	s.p.tabTo("#list thead a")
	sorted := s.p.url()
	s.p.press(kb.Enter)
	s.p.until("the list is sorted", "location.href !== "+quote(sorted))
	s.p.keepsFocus("#list thead a")
}

func (s *screens) menuByKeys() {
	menu := "#list details.menu summary"
	s.p.tabTo(menu)
	s.p.press(kb.Enter)
	s.p.tabTo("#list a.menu-item")
	s.p.press(kb.Escape)
	s.p.keepsFocus(menu)
	if open := s.p.count("details.menu[open]"); open != 0 {
		s.t.Errorf("%d menus are open after Escape", open)
	}
}

func (s *screens) deleteByKeys() {
	s.p.enter("#list th a[href$='" + s.hook + "']")
	s.p.tabTo(".head details.menu summary")
	s.p.press(kb.Enter)
	s.p.tabTo(".head a.menu-item[data-dialog=delete]")
	s.p.press(kb.Enter)
	s.p.keepsFocus("dialog#delete [data-close]")
	s.p.press(kb.Escape)
	s.p.keepsFocus(".head details.menu summary")
	s.p.press(kb.Enter)
	s.p.tabTo(".head a.menu-item[data-dialog=delete]")
	s.p.press(kb.Enter)
	s.p.enter("dialog#delete button[type=submit]")
	s.p.seeText(".toast", "eleted")
}

func (s *screens) openPalette() {
	s.p.do("press Ctrl-K", chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	s.p.keepsFocus("#palette-q")
}

func (s *screens) paletteByKeys() {
	s.p.tabTo("#list th a")
	s.openPalette()
	s.p.press(kb.Escape)
	s.p.gone("#palette")
	s.p.keepsFocus("#list th a")
	s.openPalette()
	s.p.press("limits")
	s.p.seeText("#palette-list [aria-selected=true]", "Limits")
	s.p.press(kb.ArrowDown)
	s.p.press(kb.ArrowUp)
	s.p.leave(kb.Enter)
	s.p.waitURL("/limits")
}

func (s *screens) shortcutsByKeys() {
	s.p.tabTo("[data-dialog=shortcuts]")
	s.p.press("?")
	s.p.see("#shortcuts[open]")
	s.p.focusSeen()
	s.p.press(kb.Escape)
	s.p.keepsFocus("[data-dialog=shortcuts]")
	s.p.press("g")
	s.p.leave("l")
	if at := s.p.url(); !strings.Contains(at, "/logs") {
		s.t.Errorf("the keys g l lead to %s", at)
	}
}
