package main

import (
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"belfry/web"
)

// policies notes how many pages came, and which of them without the content
// policy that is promised.
type policies struct {
	mu    sync.Mutex
	pages int
	wrong []string
}

// watch looks at the headers of every page that a tab gets, until it closes.
func (c *policies) watch(p *tab) {
	p.t.Helper()
	if err := chromedp.Listen(p.ctx, c.hear); err != nil {
		p.t.Fatal(err)
	}
}

func (c *policies) hear(event any) {
	e, ok := event.(*network.EventResponseReceived)
	if !ok || e.Type != network.ResourceTypeDocument || !strings.HasPrefix(e.Response.URL, "http") {
		return
	}
	policy := ""
	for name, value := range e.Response.Headers {
		if strings.EqualFold(name, "Content-Security-Policy") {
			policy, _ = value.(string)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pages++
	if policy != web.ContentSecurityPolicy || strings.Contains(policy, "unsafe") {
		c.wrong = append(c.wrong, e.Response.URL+": "+policy)
	}
}

// check fails the test for pages without the policy.
func (c *policies) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages == 0 {
		t.Error("the policy of no page was looked at")
	}
	for _, wrong := range c.wrong {
		t.Errorf("not the promised content policy: %s", wrong)
	}
}

// visit looks at the page that is open as it is and on a phone, where it is
// loaded anew, as a phone would. It must be accessible, may not scroll sideways or
// move while it loads, and is shot for a person to see. Without scripts, where the styles are the
// same, all that is done on the phone. Every look there is belongs to `make
// looks`.
func (f *flow) visit(name string) {
	f.t.Helper()
	f.lookAt(name, true)
}

// visitOnce looks at what a reload would lose: an answer to a form, an open
// dialog, a secret.
func (f *flow) visitOnce(name string) {
	f.t.Helper()
	f.lookAt(name, false)
}

func (f *flow) lookAt(name string, reload bool) {
	f.t.Helper()
	before, at := f.p.look, f.p.url()
	if !f.noScript {
		f.p.fits()
		f.p.accessible()
		f.p.screenshot(name)
	}
	f.p.lookAs(look{Width: narrow, NoScript: f.noScript})
	if reload && f.noScript {
		f.p.open(at)
	} else if reload {
		f.p.calm(at)
	}
	f.p.fits()
	if f.noScript {
		f.p.accessible()
		f.p.screenshot(name)
	}
	f.p.lookAs(before)
}

// misfits are the elements that stand out of the page, or out of the box of a
// table, where code may scroll in its own box; and those that scroll by so little
// that nobody meant them to.
const misfits = `(() => {
	const name = el => el.tagName.toLowerCase() + (el.id ? "#" + el.id : "") + "." + Array.from(el.classList).join(".");
	const found = [];
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > width) {
		found.push("the page is " + document.documentElement.scrollWidth + " wide");
		for (const el of document.querySelectorAll("body *")) {
			const box = el.getBoundingClientRect();
			if (box.width && box.right > width + 1 && found.length < 6) found.push(name(el));
		}
	}
	for (const box of document.querySelectorAll(".table-box, .panel, .strip, .content"))
		if (box.scrollWidth > box.clientWidth + 1) found.push(name(box) + " holds " + box.scrollWidth + " in " + box.clientWidth);
	for (const el of document.querySelectorAll("body *")) {
		const over = el.scrollHeight - el.clientHeight;
		if (over > 0 && over <= 8 && /auto|scroll/.test(getComputedStyle(el).overflowY)) found.push(name(el) + " scrolls by " + over + " px");
	}
	return found;
})()`

// fits fails the test where something on the page stands out sideways, or scrolls
// by a few pixels.
func (p *tab) fits() {
	p.t.Helper()
	found, err := evaluate[[]string](p, misfits)
	if err != nil {
		p.fatalf("measure the page: %v", err)
	}
	if len(found) > 0 {
		p.t.Errorf("%s%s does not fit: %s", p.url(), p.look.suffix(), strings.Join(found, "; "))
	}
}
