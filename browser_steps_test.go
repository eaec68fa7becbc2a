package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// open goes to an address and gives the status of the answer, after redirects.
// It asks the page that has come, not the driver's record of what went over the
// line: that ends early where the page that is left changes its own address.
func (p *tab) open(url string) int {
	p.t.Helper()
	before, err := evaluate[float64](p, "performance.timeOrigin")
	if err != nil {
		p.fatalf("open %s: %v", url, err)
	}
	p.do("open "+url, command(page.Navigate, page.NavigateParams{URL: url}))
	p.arrive(url, before)
	status, err := evaluate[int](p, "performance.getEntriesByType('navigation')[0].responseStatus")
	if err != nil {
		p.fatalf("open %s: %v", url, err)
	}
	return status
}

// arrive waits until a document younger than the one before has loaded.
func (p *tab) arrive(by string, before float64) {
	p.t.Helper()
	p.until(by+" has led to another page",
		fmt.Sprintf("performance.timeOrigin !== %f && document.readyState === 'complete'", before))
}

// click presses the mouse on the first element that matches, once that is in
// view and nothing lies over it. It does not wait for what the click causes.
func (p *tab) click(selector string) {
	p.t.Helper()
	for range 5 { // a page that is just being laid out anew may take it away again
		p.until(selector+" can be clicked", spot(selector)+" !== null")
		if at, err := evaluate[[]float64](p, spot(selector)); err == nil && len(at) == 2 {
			p.do("click "+selector, chromedp.MouseClickXY(at[0], at[1]))
			return
		}
	}
	p.fatalf("click %s: it is gone again and again", selector)
}

// spot is an expression for where to press the mouse on an element: its middle,
// or null where it is missing, disabled, has no size or is covered.
func spot(selector string) string {
	return fmt.Sprintf(`(() => {
		const el = document.querySelector(%s);
		if (!el || el.disabled) return null;
		el.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		const box = el.getClientRects()[0];
		if (!box || !box.width || !box.height) return null;
		const x = box.left + box.width / 2, y = box.top + box.height / 2;
		const top = document.elementFromPoint(x, y);
		const labels = Array.from(el.labels ?? []);
		if (!top || !(el.contains(top) || labels.some(label => label.contains(top)))) return null;
		return [x, y];
	})()`, quote(selector))
}

// follow clicks and waits until the next document has loaded: for links and
// forms that the browser itself follows.
func (p *tab) follow(selector string) {
	p.t.Helper()
	before, err := evaluate[float64](p, "performance.timeOrigin")
	if err != nil {
		p.fatalf("follow %s: %v", selector, err)
	}
	p.click(selector)
	p.arrive(selector, before)
}

// fill types a value into a field in place of what is there.
func (p *tab) fill(selector, value string) {
	p.t.Helper()
	p.until(selector+" can be filled", fmt.Sprintf(`(() => {
		const el = document.querySelector(%s);
		if (!el || el.disabled || el.readOnly || !el.getClientRects().length) return false;
		el.focus();
		el.select();
		return document.activeElement === el;
	})()`, quote(selector)))
	if value == "" {
		p.press(kb.Backspace)
		return
	}
	p.do("fill "+selector, command(input.InsertText, input.InsertTextParams{Text: value}))
}

// press types keys, such as kb.Tab, into what has the focus.
func (p *tab) press(keys string) {
	p.t.Helper()
	p.do("press a key", chromedp.KeyEvent(keys))
}

// choose picks the option with this value in a select.
func (p *tab) choose(selector, value string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s offers %q", selector, value), fmt.Sprintf(`(() => {
		const el = document.querySelector(%s), value = %s;
		if (!el || el.disabled || !Array.from(el.options).some(o => o.value === value)) return false;
		el.value = value;
		el.dispatchEvent(new Event("input", {bubbles: true}));
		el.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	})()`, quote(selector), quote(value)))
}

// see waits until an element that matches is shown, and gives its text.
func (p *tab) see(selector string) string {
	p.t.Helper()
	p.until(selector+" is shown",
		fmt.Sprintf("Array.from(document.querySelectorAll(%s)).some(el => el.checkVisibility())", quote(selector)))
	text, err := evaluate[string](p, fmt.Sprintf(
		"Array.from(document.querySelectorAll(%s)).find(el => el.checkVisibility())?.innerText ?? ''", quote(selector)))
	if err != nil {
		p.fatalf("read %s: %v", selector, err)
	}
	return strings.TrimSpace(text)
}

// seeText waits until an element that matches shows the words.
func (p *tab) seeText(selector, words string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s shows %q", selector, words), fmt.Sprintf(
		"Array.from(document.querySelectorAll(%s)).some(el => el.checkVisibility() && el.innerText.includes(%s))",
		quote(selector), quote(words)))
}

// gone waits until no element that matches is shown.
func (p *tab) gone(selector string) {
	p.t.Helper()
	p.until(selector+" is gone",
		fmt.Sprintf("!Array.from(document.querySelectorAll(%s)).some(el => el.checkVisibility())", quote(selector)))
}

// count is how many elements match now.
func (p *tab) count(selector string) int {
	p.t.Helper()
	n, err := evaluate[int](p, fmt.Sprintf("document.querySelectorAll(%s).length", quote(selector)))
	if err != nil {
		p.fatalf("count %s: %v", selector, err)
	}
	return n
}

// value waits for a field and gives what is in it.
func (p *tab) value(selector string) string {
	p.t.Helper()
	p.until(selector+" exists", fmt.Sprintf("document.querySelector(%s) !== null", quote(selector)))
	v, err := evaluate[string](p, fmt.Sprintf("document.querySelector(%s).value", quote(selector)))
	if err != nil {
		p.fatalf("value of %s: %v", selector, err)
	}
	return v
}

// url is the address of the page now, without the place in it that it may name:
// opening it loads the page anew.
func (p *tab) url() string {
	p.t.Helper()
	at, err := evaluate[string](p, "location.href.split('#')[0]")
	if err != nil {
		p.fatalf("read the address: %v", err)
	}
	return at
}

// waitURL waits until the address holds part and the page has loaded.
func (p *tab) waitURL(part string) {
	p.t.Helper()
	p.until("the address holds "+part,
		fmt.Sprintf("location.href.includes(%s) && document.readyState === 'complete'", quote(part)))
}
