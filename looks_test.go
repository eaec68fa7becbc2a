package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// inspect holds a screen against every look: accessible, nothing cut off at any
// width, nothing that moves while it loads, edges and marks that stay where
// colours are forced, a focus that is seen, and the same page without scripts.
func (s *screens) inspect(one screen, path string) {
	s.t.Helper()
	s.p.takeFaults() // of the way here
	for _, width := range s.widths {
		s.p.lookAs(look{Width: width})
		if path != "" {
			s.p.calm(s.site.url + path)
		}
		s.p.accessible()
		s.p.fits()
		s.p.focusable()
		s.p.lookAs(look{Width: width, Dark: true})
		s.p.legible()
		s.p.lookAs(look{Width: width, Dark: width == narrow, Forced: true})
		s.p.legible()
		s.p.none("lost where colours are forced", lostEdges)
		s.p.focusable()
	}
	for _, width := range []int64{1600, 1024, wide / 2} { // half as wide: at a zoom of 200 %
		s.p.lookAs(look{Width: width, Bars: true})
		s.p.fits()
	}
	if path != "" && one.do == nil {
		s.sameWithoutScripts(path)
	}
	for _, fault := range s.p.takeFaults() {
		if !strings.Contains(fault, "status of 404") { // a screen of what is missing
			s.t.Errorf("%s: the browser complained: %s", s.p.url(), fault)
		}
	}
}

// none fails the test for whatever an expression finds on the page.
func (p *tab) none(what, expression string) {
	p.t.Helper()
	if found := p.found(expression); len(found) > 0 {
		p.t.Errorf("%s%s: %s: %s", p.url(), p.look.suffix(), what, strings.Join(found, "; "))
	}
}

// found is what an expression finds on the page.
func (p *tab) found(expression string) []string {
	p.t.Helper()
	found, err := evaluate[[]string](p, expression, chromedp.EvalAwaitPromise)
	if err != nil {
		p.fatalf("look at the page: %v", err)
	}
	return found
}

// calm opens an address; nothing may move while it loads. What moved for an event
// that came just then does not move the second time.
func (p *tab) calm(address string) {
	p.t.Helper()
	var moved []string
	for range 2 {
		p.open(address)
		p.until("nothing is fetched", "!document.querySelector('.htmx-request')")
		if moved = p.found(shifts); len(moved) == 0 {
			return
		}
	}
	p.t.Errorf("%s%s moves while it loads: %s", p.url(), p.look.suffix(), strings.Join(moved, "; "))
}

// shifts are what moved since the page began, but for what somebody's input
// moved, as the browser itself notes it.
const shifts = `new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => {
	const watch = new PerformanceObserver(() => {});
	watch.observe({type: "layout-shift", buffered: true});
	const at = box => [box.x, box.y, box.width, box.height].map(Math.round).join(" ");
	const name = ({node: el, previousRect, currentRect}) => (!el ? "?" : el.nodeName.toLowerCase() + (el.id ? "#" + el.id : "") + "." + Array.from(el.classList ?? []).join(".")) +
		" from " + at(previousRect) + " to " + at(currentRect);
	return watch.takeRecords().filter(shift => !shift.hadRecentInput).map(shift => shift.value.toFixed(4) + " at " +
		shift.startTime.toFixed() + " ms by " + shift.sources.map(name).join(", "));
})`

// lostEdges are controls without an edge and marks of a state that have the
// colour of what they lie on.
const lostEdges = `(() => {
	const lost = [];
	const name = el => el.tagName.toLowerCase() + (el.id ? "#" + el.id : "") + (el.name ? "[" + el.name + "]" : "") + "." + Array.from(el.classList).join(".");
	const shown = el => el.checkVisibility({visibilityProperty: true}) && el.getBoundingClientRect().width > 1;
	const all = (selector, is, word) => { for (const el of document.querySelectorAll(selector)) if (shown(el) && !is(el)) lost.push(name(el) + " has no " + word) };
	const canvas = getComputedStyle(document.documentElement).backgroundColor, page = getComputedStyle(document.body).backgroundColor;
	const clear = colour => /^rgba\(.*, 0\)$/.test(colour);
	const sees = colour => !clear(colour) && colour !== canvas && colour !== page;
	const edged = el => ["Top", "Bottom"].some(side => { const s = getComputedStyle(el); return parseFloat(s["border" + side + "Width"]) > 0 && sees(s["border" + side + "Color"]) });
	const filled = el => sees(getComputedStyle(el).backgroundColor);
	const within = el => edged(el) || filled(el) || edged(el.parentElement) || edged(el.parentElement.parentElement);
	all(".btn:not(.quiet), textarea, select, input:not([type=checkbox], [type=radio], [type=hidden])", within, "edge");
	all(".box, .dot-box, .switch", el => edged(el) || filled(el), "edge");
	const before = el => getComputedStyle(el, "::before").backgroundColor;
	all(".switch, .box:is(:checked, :indeterminate)", el => before(el) !== getComputedStyle(el).backgroundColor && !clear(before(el)), "mark");
	const mark = el => { const s = getComputedStyle(el); return s.backgroundColor + s.borderBottomColor };
	const peer = el => el.matches("li > a") ? el.closest("ul").querySelector("li > a:not([aria-current])") : el.parentElement.querySelector(":scope > :not([aria-current], :has(:checked))");
	all(".segments > [aria-current], .segments > label:has(:checked), .tabs-line > [aria-current], .side li > [aria-current]", el => !peer(el) || mark(el) !== mark(peer(el)), "mark of being the current one");
	return lost;
})()`

// shows is a function of the page: whether an element shows that it has the
// focus, itself or by what stands around it.
const shows = `const shows = el => {
	const seen = (e, own) => {
		const s = getComputedStyle(e);
		const outlined = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 && !/^rgba\(.*, 0\)$/.test(s.outlineColor);
		return outlined || (own ? s.boxShadow !== "none" : s.boxShadow.includes("inset"));
	};
	return seen(el, true) || seen(el.parentElement, false) || seen(el.parentElement.parentElement ?? el, false);
};`

// focusable fails the test for controls that don't show that they have the focus.
func (p *tab) focusable() {
	p.t.Helper()
	// The window has the focus, whatever had it last, and the keyboard moves it.
	p.do("focus the window", command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	p.press(kb.Tab)
	p.none("does not show the focus", dull)
}

// dull gives each control that Tab leads to the focus by turns and names those that don't show it.
const dull = `(() => {
	` + shows + `
	const dull = [];
	for (const el of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
		if (!el.checkVisibility({visibilityProperty: true}) || el.disabled || el.tabIndex < 0) continue;
		el.focus({focusVisible: true, preventScroll: true});
		if (document.activeElement === el && !shows(el)) dull.push(el.tagName.toLowerCase() + "." + el.className + " " + (el.ariaLabel || el.name || el.innerText).slice(0, 40));
	}
	document.activeElement.blur();
	return dull;
})()`

// mainParts are what a page is for: its heading, its forms, and the ways on that look
// like buttons, without what stands in rows, which come
// and go.
const mainParts = `(() => {
	const found = new Set(Array.from(document.querySelectorAll("main h1")).filter(h1 => h1.checkVisibility()).map(h1 => "heading " + h1.innerText.trim()));
	const plain = address => new URL(address ?? "", location).pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…");
	for (const el of document.querySelectorAll("main form, main a.btn, main nav a, main .segments > a")) {
		if (el.closest("tbody, dialog, .needs-js, .no-js, [hidden], .live-news")) continue;
		if (el.closest("details:not([open])") === null && !el.checkVisibility()) continue;
		found.add(el.matches("form") ? "form " + (el.getAttribute("method") ?? "get") + " " + plain(el.getAttribute("action")) : "link " + plain(el.href));
	}
	return Array.from(found).sort();
})()`

// sameWithoutScripts compares a page with itself where no scripts run. What an
// event changed just then is the same the second time.
func (s *screens) sameWithoutScripts(path string) {
	s.t.Helper()
	var lost string
	for range 2 {
		with, status := s.parts(path, look{})
		without, bare := s.parts(path, look{NoScript: true})
		s.p.fits()
		lost = ""
		if status != bare {
			lost = fmt.Sprintf("status %d instead of %d ", bare, status)
		}
		for _, part := range with {
			if !slices.Contains(without, part) {
				lost += part + "; "
			}
		}
		if lost == "" {
			return
		}
	}
	s.t.Errorf("%s lacks without scripts: %s", path, lost)
}

func (s *screens) parts(path string, l look) (parts []string, status int) {
	s.t.Helper()
	s.p.lookAs(l)
	status = s.p.open(s.site.url + path)
	if parts = s.p.found(mainParts); len(parts) == 0 {
		s.p.fatalf("%s has no parts", path)
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		s.p.fatalf("%s: status %d", path, status)
	}
	return parts, status
}
