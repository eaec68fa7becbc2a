package views

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// The styleguide shows every part in every state, in pages made for looking at
// them: the demo serves it, and TestPartsKeepTheirPromisesInABrowser holds it to
// what is promised.

// StyleguideNow is the moment that the styleguide's times count from.
func StyleguideNow() time.Time { return time.Date(2026, 11, 21, 14, 34, 10, 0, time.UTC) }

func ago(d time.Duration) time.Time { return StyleguideNow().Add(-d) }

// with renders c with children.
func with(c templ.Component, children ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return c.Render(templ.WithChildren(ctx, templ.Join(children...)), w)
	})
}

// box puts components into an element of that class.
func box(class string, children ...templ.Component) templ.Component {
	return templ.Join(templ.Raw(`<div class="`+class+`">`), templ.Join(children...), templ.Raw(`</div>`))
}

func text(s string) templ.Component { return templ.Raw(templ.EscapeString(s)) }

func galleryFrame(current Entry) Frame {
	return Frame{Account: "Northline Support", User: "mira@northline.example", Role: "admin", Current: current, Trouble: 2, RatePerMinute: 1000}
}

// Styleguide gives every page of it by name.
func Styleguide() map[string]templ.Component {
	return map[string]templ.Component{
		"parts":    galleryParts(),
		"webhooks": galleryList(),
		"webhook":  galleryWebhook(),
		"delivery": galleryDelivery(),
		"form":     galleryForm(),
		"limits":   galleryLimits(),
		"resend":   galleryResend(),
		"dialog":   galleryDialog(),
		"toast":    galleryToasts(),
		"palette":  galleryPalette(),
		"sign-in":  gallerySignIn(),
		"error":    ErrorPage(ErrorView{Title: "There is no such page", Text: "It may have been removed.", RequestID: "4f1c", Back: Link{"To the webhooks", "/setup/webhooks"}}),
		"broken":   shown("broken", EntryLogs, "Logs", ErrorPart(ErrorView{Title: "The log can't be read right now", Text: "The database does not answer. Nothing is lost.", Again: true, Address: "#"})),
	}
}

// shown is a page of the styleguide with the way to the others.
func shown(name string, current Entry, title string, parts ...templ.Component) templ.Component {
	return shownIn(galleryFrame(current), name, title, parts...)
}

func shownIn(frame Frame, name, title string, parts ...templ.Component) templ.Component {
	var choices []Choice
	for _, other := range []string{"parts", "form", "webhooks", "webhook", "delivery", "resend", "limits", "dialog", "toast", "palette", "broken", "error", "sign-in"} {
		choices = append(choices, Choice{Label: sentence(strings.ReplaceAll(other, "-", " ")), Href: "/styleguide/" + other, Current: other == name})
	}
	return with(Page(frame, title), append([]templ.Component{Tabs("Styleguide", choices)}, parts...)...)
}

func galleryParts() templ.Component {
	var states []templ.Component
	for _, health := range []string{"healthy", "slow", "failing", "probing", "held", "inactive", "none"} {
		s := HealthState(health, "")
		states = append(states, box("row", StateWord(s), box("push", StatePill(s))))
	}
	var statuses []templ.Component
	for _, status := range [][2]string{{"pending", ""}, {"pending", "rate"}, {"processing", ""}, {"delivered", ""}, {"failed", ""}, {"dead", ""}} {
		s := DeliveryState(status[0], status[1])
		statuses = append(statuses, box("row", StateWord(s), box("push", StatePill(s))))
	}
	tags := box("row", Tag("call.*", true), Tag("All events", false), TestBadge(), ScopeTag("publish"), EventTags([]string{"call.ended", "call.missed"}))
	buttons := box("row",
		Button("Add Webhook", Btn{Kind: "primary", Icon: "plus", Href: "#"}), Button("Export", Btn{}), Button("Cancel", Btn{Kind: "quiet"}),
		Button("Delete…", Btn{Kind: "danger"}), Button("Resend", Btn{Disabled: "It is on its way: wait for the answer."}),
		Button("Send Test", Btn{Kind: "primary", Busy: "Sending…", Icon: "send", Attrs: templ.Attributes{"aria-busy": "true"}}),
		Button("Small", Btn{Small: true}), Switch(SwitchView{Action: "/x", Label: "Active: one", On: true}), Switch(SwitchView{Action: "/x", Label: "Active: two"}),
		with(Menu("More actions", false), MenuLink("Edit", "pencil", "#", "", false), MenuLink("Delete…", "trash-2", "?confirm=delete", "delete", true)),
	)
	messages := box("stack",
		Message(Msg{Tone: "bad", Icon: "database", Bold: "The database does not answer since 14:31.", Text: "Accepted events are safe; deliveries go on when it is back."}),
		Message(Msg{Tone: "warn", Icon: "hourglass", Bold: "10 of 10 webhooks used.", Text: "Delete one to add another.", Action: Link{"See held", "#"}}),
		with(Message(Msg{Tone: "ok", Bold: "Active again.", Text: "41 events came in meanwhile."}), templ.Raw(` <a href="#">Send the missed ones</a>`)),
	)
	empty := with(Panel(PanelView{Flush: true}), with(Empty("Nothing matches these filters", "9,412 deliveries without them."), Button("Clear filters", Btn{Small: true, Href: "#"})))
	meters := box("stack",
		Meter(MeterView{Label: "API requests", Value: 380, Peak: 610, Max: 1000, Left: "386 now", Right: "peak 612"}),
		Meter(MeterView{Label: "Outgoing requests", Value: 840, Peak: 910, Max: 1000}),
		Meter(MeterView{Label: "Webhooks", Value: 10, Peak: 10, Max: 10, Tone: "bad"}),
	)
	return shown("parts", EntryNone, "Parts", with(PageHead(Head{Title: "Parts", Sub: "Every part, in every state. Light and dark follow the system."})),
		box("cols", galleryMark(), gallerySwatches()),
		box("cols", box("stack", states...), box("stack", append(statuses, tags)...)), buttons, meters, messages, empty,
		box("row", with(LiveNow("1,000 per minute", true)), Segmented("Range", []Choice{{"1 h", "#", "", false}, {"24 h", "#", "", true}}, true)),
	)
}

func galleryBars() BarsView {
	good := []int{272, 276, 190, 135, 69, 50, 40, 37, 36, 34, 38, 38, 37, 32, 24, 33, 46, 82, 127, 138, 96, 117, 86, 70}
	bad := []int{0, 4, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 4, 21, 35, 62, 70, 124, 129, 184, 102, 91, 131}
	out := BarsView{Unit: "attempts", Over: "24 h"}
	for i := range good {
		out.Bars = append(out.Bars, Bar{ClockTime(ago(time.Duration(24-i) * time.Hour))[:5], good[i], bad[i]})
	}
	return out
}

func galleryLines() LinesView {
	out := LinesView{Limit: 10 * time.Second, Over: "24 h"}
	for i := range 48 {
		wave := time.Duration(i*37%11) * 60 * time.Millisecond
		out.Points = append(out.Points, Point{
			Label: ClockTime(ago(time.Duration(48-i) * 30 * time.Minute))[:5],
			P50:   400*time.Millisecond + wave/4, P95: 1600*time.Millisecond + wave*2, P99: 3900*time.Millisecond + wave*2, None: i == 12,
		})
	}
	return out
}

func galleryTable() templ.Component {
	rows := []struct {
		state            State
		reason, url, sub string
		events           []string
		rate             string
		on               bool
	}{
		{HealthState("failing", ""), "503 on 6 of 10, since 05:10", "https://hooks.harborcrm.example/v2/calls", "Harbor CRM, call outcomes", []string{"call.*"}, "68.1%", true},
		{HealthState("probing", ""), "10 timeouts, next try in 4 min", "https://n8n.internal.lumio.example/webhook/8f21", "Lumio automations", []string{"message.received", "call.ended"}, "82.0%", true},
		{HealthState("slow", ""), "p95 6.8 s, limit 10 s", "https://api.quillnotes.example/ingest/belfry", "Transcript archive", []string{"call.transcript_ready", "call.ended"}, "99.1%", true},
		{HealthState("healthy", ""), "p95 184 ms", "https://crm.northline.example/hooks/belfry", "Own CRM", nil, "99.9%", true},
		{HealthState("inactive", ""), "paused by Mira, 3 days ago", "https://staging.northline.example/hooks", "Staging", []string{"call.*", "a.b"}, "–", false},
	}
	var trs []templ.Component
	for i, row := range rows {
		bars := galleryBars()
		if i == 4 {
			bars.Bars = make([]Bar, 24)
		}
		trs = append(trs, templ.Raw(`<tr><td class="at-state">`), with(StateLines(row.state, row.reason)),
			templ.Raw(`</td><th scope="row" class="at-name">`), Endpoint(row.url, "#", true), box("second", text(row.sub)),
			templ.Raw(`</th><td class="not-phone">`), EventTags(row.events), templ.Raw(`</td><td class="at-detail">`), Sparkline(bars),
			templ.Raw(`</td><td class="num not-phone">`+row.rate+`</td><td class="at-answer faint">`), Ago(ago(12*time.Second)),
			templ.Raw(`</td><td class="at-when">`), Switch(SwitchView{Action: "/x", Label: "Active: " + row.url, On: row.on}),
			templ.Raw(`</td><td class="act not-phone">`), with(Menu("More for "+row.url, true), MenuLink("Edit", "pencil", "#", "", false)), templ.Raw(`</td></tr>`))
	}
	return with(Table(TableView{Caption: "Webhooks", Lines: true, Columns: []Column{
		{Label: "Health"},
		{Label: "Endpoint"},
		{Label: "Events"},
		{Label: "Last 24 h"},
		{Label: "Success", Class: "num"},
		{Label: "Last delivery"},
		{Label: "Active"},
		{Label: "More", Hidden: true},
	}}), trs...)
}

func galleryList() templ.Component {
	strip := NumberStrip([]Number{
		{Label: "Delivered, 24 h", Value: "22,814", Href: "#"},
		{Label: "Success rate, 24 h", Value: "96.9%", Href: "#"},
		{Label: "Waiting now", Value: "231", Small: "212 held", Href: "#"},
		{Label: "Failed, 24 h", Value: "21", Href: "#"},
	})
	filters := with(Filters(FiltersView{Action: "/setup/webhooks", Target: "#list", Search: &FilterView{Name: "q", Label: "URL, text or event"}, Set: []Link{{"support-berlin", "?"}}}),
		Segmented("State", []Choice{{"All", "#", "7", true}, {"In trouble", "#", "2", false}, {"Active", "#", "6", false}, {"Inactive", "#", "1", false}}, false),
		Filter(FilterView{Name: "agent", Label: "Agent", Options: []Option{{"a", "sales-eu", ""}}}),
		Filter(FilterView{Name: "event", Label: "Event", Value: "call.*", Options: []Option{{"call.*", "call.*", "Calls"}}}),
	)
	return shown("webhooks", EntryWebhooks, "Webhooks",
		with(PageHead(Head{Title: "Webhooks", Sub: "Where Northline's events go. Those in trouble come first."}), Quota(7, 10), Button("Add Webhook", Btn{Kind: "primary", Icon: "plus", Href: "#"})),
		strip, filters, galleryTable(), Pager("50 per page, 9,412 in all", "", "?after=x"))
}

func galleryWebhook() templ.Component {
	bars := galleryBars()
	head := with(PageHead(Head{
		Crumbs: []Link{{"Webhooks", "#"}, {Label: "Harbor CRM, call outcomes"}}, Title: "hooks.harborcrm.example/v2/calls", Mono: true,
		Beside: templ.Join(CopyIcon("Copy the URL", "https://…"), StatePill(HealthState("failing", ""))),
		Facts:  templ.Join(templ.Raw("<span>"), Icon("zap"), Tag("call.*", true), templ.Raw("</span><span>"), Icon("headset"), text("All agents"), templ.Raw("</span>")),
	}), Switch(SwitchView{Action: "/x", Label: "Active", Word: "Active", On: true}), Button("Send Test", Btn{Kind: "primary", Icon: "send", Href: "#"}))
	strip := NumberStrip([]Number{
		{Label: "All", Value: "2,262", Note: "68.1% of attempts succeed", Href: "#"},
		{Label: "Delivered", Value: "2,076", Icon: "circle-check", Tone: "ok", Href: "#"},
		{Label: "Pending", Value: "170", Icon: "clock", Tone: "idle", Note: "next in 8 s", Href: "#"},
		{Label: "Processing", Value: "4", Icon: "loader", Tone: "info", Href: "#"},
		{Label: "Failed", Value: "12", Icon: "circle-x", Tone: "bad", Href: "#"},
		{Label: "Dead", Value: "0", Icon: "ban", Tone: "ink", Href: "#"},
	})
	charts := box("cols",
		with(Panel(PanelView{Title: "Attempts by outcome", Flush: true, Aside: BarsLegend(bars)}), BarsChart(bars)),
		with(Panel(PanelView{Title: "Response time", Flush: true, Aside: TimesLegend(412*time.Millisecond, 1900*time.Millisecond, 4100*time.Millisecond)}), LinesChart(galleryLines())),
	)
	kinds := with(Panel(PanelView{Title: "What goes wrong, and what to do", Flush: true, Aside: text("972 failed attempts in 24 h")}),
		with(Table(TableView{Caption: "Error kinds", Lines: true, Columns: []Column{{Label: "Kind"}, {Label: "Times", Class: "num", Sorted: "descending", Href: "#"}, {Label: "Share"}, {Label: "What to do"}}}),
			templ.Raw(`<tr><th scope="row">status 503<div class="second">Service Unavailable</div></th><td class="num">929</td><td>`), Share(929, 972),
			templ.Raw(`</td><td class="faint">The endpoint says it is overloaded. Look at its own log.</td></tr>`)))
	return shown("webhook", EntryWebhooks, "Webhook", head,
		Tabs("Webhook", []Choice{{"Overview", "#", "", true}, {"Logs", "#", "", false}, {"Edit", "#", "", false}}),
		with(SectionHead("Deliveries", ""), Segmented("Range", []Choice{{"1 h", "#", "", false}, {"24 h", "#", "", true}, {"7 d", "#", "", false}}, true)),
		strip, charts, kinds, with(Panel(PanelView{Title: "Nothing yet", Flush: true}), BarsChart(BarsView{Unit: "attempts", Over: "24 h"})))
}
