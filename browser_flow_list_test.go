package main

import (
	"strings"
	"time"
)

// What is done in lists and with what stands behind a word: both ways, in the middle of the flow.

// undoInTheList takes a pause back by its word, in a list that is sorted and searched:
// it stays so.
func (f *flow) undoInTheList() {
	f.open("/setup/webhooks?sort=endpoint&q=orders")
	row, knob := "#webhook-"+f.hook, "#active-"+f.hook
	f.act(knob)
	f.p.seeText(row, "Inactive")
	f.act(".toast .undo button")
	f.p.seeText(".toast", "is active again")
	f.p.until("it is on", "document.querySelector("+quote(knob)+").ariaChecked === 'true'")
	for _, kept := range []string{"sort=endpoint", "q=orders"} {
		f.p.waitURL(kept)
	}
	if n := f.p.count("#rows tr"); n != 1 {
		f.t.Errorf("%d webhooks are listed after it, want the 1 searched for", n)
	}
}

// chartTables reads a chart's numbers as a table; with scripts it stays open for
// another time, too.
func (f *flow) chartTables() {
	f.open("/setup/webhooks/" + f.hook)
	f.p.click("#history .as-table summary")
	f.p.seeText("#history .as-table thead", "Answered 2xx")
	f.p.seeText("#history .as-table tbody", "%")
	f.visitOnce("webhook-chart-table")
	f.act("#history a[href*='range=30d']")
	f.p.until("the charts cover 30 days", "document.querySelector('#history [aria-current]').textContent.trim() === '30 d'")
	if f.noScript {
		f.p.click("#history .as-table summary")
	}
	f.p.seeText("#history .as-table tbody", time.Now().UTC().Format("2 Jan"))
}

// timeRange looks at the log between two moments, and takes filters off one by one
// by their chips, as on a phone.
func (f *flow) timeRange() {
	f.open("/setup/webhooks/logs?status=delivered&event=call.failed")
	f.p.choose(".filter-row select[name=time]", "range")
	f.moment("from", time.Now().Add(-time.Hour))
	f.moment("to", time.Now().Add(time.Hour))
	if f.noScript {
		f.p.follow(".filter-row button[type=submit]")
	}
	f.p.waitURL("to=2")
	f.p.until("the rows are there", "!document.querySelector('.htmx-request')")
	f.p.seeText("#rows", "call.failed")
	f.visitOnce("logs-time-range")
	before := f.p.look
	defer func() { f.p.lookAs(before) }()
	f.p.lookAs(look{Width: narrow, NoScript: f.noScript})
	for left := f.p.count("#chips a"); left > 0; left-- {
		f.p.follow("#chips a")
		if n := f.p.count("#chips a"); n != left-1 {
			f.t.Errorf("%d filters are left of %d after taking one off", n, left)
			return
		}
		if !f.noScript {
			f.p.until("the next filter has the focus, or what opens them", `document.activeElement.matches("#chips a, .filters > summary")`)
		}
		f.p.see("#rows")
	}
	if at := f.p.url(); !strings.HasSuffix(at, "/logs") {
		f.t.Errorf("after all filters are off the address is %s", at)
	}
}

// moment fills in a day and a time, in UTC as the page has them.
func (f *flow) moment(name string, at time.Time) {
	f.t.Helper()
	field := ".filter-row [name=" + name + "]"
	f.p.until(field+" is filled", `(() => {
		const el = document.querySelector(`+quote(field)+`);
		if (!el.checkVisibility()) return false;
		el.value = `+quote(at.UTC().Format("2006-01-02T15:04"))+`;
		el.dispatchEvent(new Event("change", {bubbles: true}));
		return true;
	})()`)
}
