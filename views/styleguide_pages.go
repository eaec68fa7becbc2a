package views

import (
	"time"

	"github.com/a-h/templ"
)

func took(ms int) *time.Duration {
	d := time.Duration(ms) * time.Millisecond
	return &d
}

func galleryDelivery() templ.Component {
	head := with(PageHead(Head{
		Crumbs: []Link{{"Logs", "#"}, {Label: "Delivery"}}, Title: "call.ended", Mono: true, Beside: StatePill(DeliveryState("pending", "")),
		Facts: templ.Join(templ.Raw("<span>"), Icon("webhook"), templ.Raw(`<a class="link" href="#">hooks.harborcrm.example/v2/calls</a></span>`), FullID("01a1fe83-a210-7d8a-ad7e-70bd55f634bc")),
	}), CopyFrom("Copy", "request-body", Btn{}), Button("Resend", Btn{Icon: "rotate-ccw", Disabled: "It is pending."}))
	steps := []StepView{
		{Kind: "done", Icon: "flag", Title: "Published", Lines: []string{"14:30:02"}},
		{Kind: "bad", Icon: "x", Title: "Attempt 1", Word: "503", Lines: []string{"14:30:02", "at once"}},
		{Kind: "bad", Icon: "x", Title: "Attempt 2", Word: "timeout", Lines: []string{"14:30:07", "after 5 s"}},
		{Kind: "bad", Icon: "x", Title: "Attempt 3", Word: "503", Lines: []string{"14:31:22", "after 1 min"}, Lead: true},
		{Kind: "next", Icon: "clock", Title: "Attempt 4", Word: "next", Lines: []string{"14:41:22", "after 10 min"}},
		{Kind: "later", Number: 5, Title: "Attempt 5", Lines: []string{"about 15:41", "after 1 h"}},
		{Kind: "later", Number: 6, Title: "Attempt 6", Lines: []string{"about 21:41", "after 6 h"}},
		{Kind: "later", Icon: "x", Title: "Failed", Lines: []string{"if none succeeds"}},
	}
	limit := 10 * time.Second
	attempts := with(Attempts(),
		Attempt(AttemptView{
			Title: "Attempt 1", Outcome: AnswerState("503", false), Text: "Service Unavailable", When: ago(4 * time.Minute), Node: "a", Href: "?attempt=1",
			Phases: PhasesView{DNS: took(8), Connect: took(21), TLS: took(44), FirstByte: took(138), Body: took(3), Total: 214 * time.Millisecond, Limit: limit},
		}),
		Attempt(AttemptView{
			Title: "Attempt 2", Outcome: AnswerState("timeout", false), Text: "No answer within 10 s", When: ago(3 * time.Minute), Node: "a", Href: "?attempt=2",
			Phases: PhasesView{DNS: took(1), Connect: took(19), TLS: took(41), FirstByte: took(9939), Total: limit, Limit: limit},
		}),
		Attempt(AttemptView{
			Title: "Attempt 3", Outcome: AnswerState("503", false), Text: "Service Unavailable, Retry-After: 600", When: ago(2 * time.Minute), Node: "b", Href: "?attempt=3", Current: true,
			Phases: PhasesView{Reused: true, FirstByte: took(184), Body: took(3), Total: 187 * time.Millisecond, Limit: limit},
		}),
		with(NextAttempt("Attempt 4", StyleguideNow().Add(432*time.Second), "Then, if needed, attempt 5 after 1 h."), text("Same webhook-id, new timestamp and signature.")),
	)
	request := with(Panel(PanelView{Title: "Request", Flush: true, Aside: CopyFrom("Body", "request-body", Btn{Kind: "quiet", Small: true})}),
		box("panel-body", Headers("POST https://hooks.harborcrm.example/v2/calls", []HeaderLine{{Name: "content-type", Value: "application/json"}, {Name: "webhook-signature", Value: "v1,Yk3vQx…Zs8="}})),
		box("sunk", JSONBlock("request-body", `{"event":"call.ended","data":{"call_id":"call_123456","note":"a <b> \"c\": d","duration":127}}`)))
	answer := with(Panel(PanelView{Title: "Answer", Flush: true, Aside: StateWord(AnswerState("503 Service Unavailable", false))}),
		box("panel-body", Headers("HTTP/2 503", []HeaderLine{{Name: "retry-after", Value: "600", Marked: true, Note: "honoured: attempt 4 waits 10 min"}})),
		box("sunk", CodeBlock("", "<html>\n<h1>503 Service Unavailable</h1>\n</html>")), box("panel-foot", text("171 of 171 bytes kept.")))
	why := with(Panel(PanelView{Flush: true}),
		with(Why("Why is it pending?", "Attempt 3 of 6 answered 503 Service Unavailable, and asked for 10 minutes' patience.", "If attempt 6 fails too, this delivery is marked failed and can still be resent."),
			Countdown("Next attempt", StyleguideNow().Add(432*time.Second))), Timeline(steps))
	return shown("delivery", EntryLogs, "Delivery", head, why, with(SectionHead("Attempts", "phases on their own scale, totals against the 10 s limit")), attempts, box("cols", request, answer))
}

func galleryForm() templ.Component {
	groups := []PickerGroup{
		{Title: "Calls", Wildcard: "call.*", Types: []PickerType{{Name: "call.started", Text: "A call begins", Chosen: false, PerDay: 120}, {Name: "call.ended", Text: "A call is over, with duration and transcript", Chosen: true, PerDay: 120}}},
		{Title: "Messages", Wildcard: "message.*", Whole: true, Types: []PickerType{{Name: "message.received", Text: "A message came in", Chosen: false, PerDay: 120}}},
	}
	form := with(Panel(PanelView{}), templ.Raw(`<form class="form" method="post" action="/x">`), Token("t"), draftOffer(),
		ErrorSummary([]FieldError{{"url", "The endpoint URL needs https."}, {"agent_id", "The agent is too long."}}),
		TextField(FieldView{Name: "url", Label: "Endpoint URL", Mono: true, Type: "url", Value: "http://10.0.4.17:9000/hook", Error: "Needs https, and 10.0.4.17 is a private address.", Ticks: []Tick{{Tone: "ok", Word: "Well formed"}, {Tone: "bad", Word: "HTTPS"}, {Tone: "warn", Word: "Looks like a duplicate of", Link: Link{"Harbor CRM", "#"}}, {Tone: "idle", Word: "Not called yet"}}}),
		TextField(FieldView{Name: "description", Label: "Description", Optional: true, Value: "Harbor CRM", Hint: "For you and your colleagues."}),
		with(RadioCards(CardsView{Name: "which", Legend: "Events", Value: "some", Note: "2 of 3 chosen, about 240 events a day", Cards: []Card{{Value: "all", Label: "All events", Text: "Also those added later, not Belfry's webhook.*"}, {Value: "some", Label: "Only these", Text: "Types or whole groups", Reveals: true}}}), EventPicker(groups)),
		templ.Raw("<hr>"),
		with(RadioCards(CardsView{Name: "secret_kind", Legend: "Signing secret", Value: "generate", Cards: []Card{{Value: "generate", Label: "Generate", Text: "32 random bytes, shown once"}, {Value: "own", Label: "My own", Text: "8 to 256 characters", Reveals: true}, {Value: "none", Label: "None", Text: "Receivers can't tell who sent it", Warn: true}}}),
			TextField(FieldView{Name: "secret", Label: "Secret", Mono: true})),
		SelectField(FieldView{Name: "event", Label: "Event", Value: "call.ended", Options: []Option{{"call.ended", "call.ended", "Calls"}, {"call.started", "call.started", "Calls"}}}),
		TextArea(FieldView{Name: "data", Label: "Data", Mono: true, Rows: 6, Value: "{\n  \"call_id\": \"call_123456\"\n}"}),
		HeaderRows([]HeaderRow{{Name: "X-Tenant", Kept: "••••line"}}),
		SegmentedRadio("pace", "Pace", "60", "About 5 min 20 s.", []Option{{"10", "10 / min", ""}, {"60", "60 / min", ""}}),
		SwitchField("active", "Active", "Starts with the next event. Inactive webhooks get nothing new.", true),
		box("row", Button("Add Webhook", Btn{Kind: "primary", Busy: "Adding…"})), templ.Raw("</form>"))
	aside := with(Panel(PanelView{Title: "What will arrive", Flush: true}), box("sunk", JSONBlock("", `{"event":"call.ended"}`)))
	return shown("form", EntryWebhooks, "Add webhook",
		with(PageHead(Head{Crumbs: []Link{{"Webhooks", "#"}, {Label: "Add webhook"}}, Title: "Add webhook", Sub: "Belfry will POST the events you choose to this address."})),
		box("cols main-aside", form, aside))
}

func galleryLimits() templ.Component {
	table := with(Table(TableView{Caption: "Rates", Lines: true, Columns: []Column{{Label: "Rate"}, {Label: "Now, and peak of 24 h"}, {Label: "Limit", Class: "num"}}}),
		templ.Raw(`<tr><th scope="row">Outgoing requests<div class="second">At the limit deliveries wait as held.</div></th><td>`),
		Meter(MeterView{Label: "Outgoing requests", Value: 386, Peak: 612, Max: 1000, Left: "386 now", Right: "peak 612"}), templ.Raw(`</td><td class="num">1,000 per min</td></tr>`))
	schedule := []ScheduleStep{
		{"wait 5 s", "", "0 s", "published"},
		{"wait 1 min", "", "5 s", "after publish"},
		{"wait 10 min", "", "1 min 5 s", "after publish"},
		{"wait 1 h", "", "11 min 5 s", "after publish"},
		{"wait 6 h", "", "1 h 11 min", "after publish"},
		{"", "", "7 h 11 min", "after publish"},
		{"", "x", "failed", "resend any time"},
	}
	return shown("limits", EntryLimits, "Limits", with(PageHead(Head{Title: "Limits", Sub: "What applies, and what happens at the edge."}), MeterLegend()), table,
		with(Panel(PanelView{Title: "Automatic retries", Flush: true}), Schedule(schedule)),
		Rules([]Rule{{"Asked to wait", "Retry-After on 429 and 503 is honoured."}, {"10 failures in a row", "The endpoint is probed."}, {"410 Gone", "No retry."}}))
}

func galleryDialog() templ.Component {
	return shown("dialog", EntryWebhooks, "Delete", with(PageHead(Head{Title: "Webhook"}), Button("Delete…", Btn{Kind: "danger", Href: "?confirm=delete", Dialog: "delete"})),
		with(Dialog(DialogView{ID: "delete", Title: "Delete Harbor CRM, call outcomes?", Open: true, Cancel: "?", Safe: "Keep it", Action: "/x", Verb: "Delete webhook", Danger: true}),
			templ.Raw(`<p><code>hooks.harborcrm.example/v2/calls</code> gets nothing more. Its secret is destroyed and <strong>170 waiting deliveries</strong> become dead. This can't be undone.</p>`)))
}

func gallerySignIn() templ.Component {
	return with(Bare("Sign in", "Belfry 1.0.0"), templ.Raw(`<div><h1>Sign in</h1><p class="sub">to the webhooks desk</p></div><form class="form" method="post" action="/login">`),
		TextField(FieldView{Name: "email", Label: "E-mail", Type: "email", Autocomplete: "username", Autofocus: true, Value: "mira@northline.example"}),
		TextField(FieldView{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"}),
		Button("Sign in", Btn{Kind: "primary", Wide: true}), templ.Raw("</form>"))
}
