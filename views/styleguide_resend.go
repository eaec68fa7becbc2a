package views

import (
	"time"

	"github.com/a-h/templ"

	"belfry/store"
)

func galleryResend() templ.Component {
	head := PageHead(Head{Crumbs: []Link{{"Logs", "#"}, {Label: "Resend"}}, Title: "Resend 318 failed deliveries?", Sub: "Oldest first."})
	question := BulkView{
		Preview: store.ResendPreview{Count: 320, All: true, Targets: []store.ResendTarget{{Count: 2, Deleted: true}}}, Status: store.Failed, Rate: 1000, Pace: "100",
		Action: "#", Back: "#", Token: "0123456789abcdef", Asked: []Fact{{"Status", "Failed", false}, {"Event", "call.*", true}},
		Webhooks: []BulkLine{
			{URL: "https://crm.northline.example/hooks/belfry", Href: "#", Count: 300, State: State{"send", "idle", "Sent"}},
			{URL: "https://events.tally-bi.example/stream", Href: "#", Count: 18, State: State{"hourglass", "warn", "Held"}, Note: "until you reactivate the webhook"},
			{URL: "https://old-crm.northline.example/in", Href: "#", Count: 2, State: OutcomeState(store.OutcomeSkipped), Note: "the webhook was deleted"},
		},
	}
	return shown("resend", EntryLogs, "Resend", head, box("stack narrow", bulkForm(question)), galleryRun(store.ResendRunning, 96), galleryRun(store.ResendPaused, 96),
		galleryRun(store.ResendRunning, 0), galleryRun(store.ResendFinished, 318), galleryRun(store.ResendCancelled, 96))
}

// galleryRun is a run that has resent so many of 318; 0: it is still counting.
func galleryRun(state string, resent int) templ.Component {
	run := store.ResendRun{
		Filter: store.DeliveryFilter{Status: []store.Status{store.Failed}}, Pace: 100, State: state, Total: 318, Counted: resent > 0, Resent: resent,
		Delivered: resent * 9 / 10, Failed: resent / 20, CreatedBy: "mira@northline.example", ChangedBy: "ann@northline.example", CreatedAt: store.Time{Time: ago(3 * time.Minute)},
	}
	return RunProgress(RunView{Run: run, Rate: 1000, Href: "#" + state, MayEdit: true, Token: "0123456789abcdef", In: StripID + "-" + state + "-" + Count(resent), Linked: true})
}
