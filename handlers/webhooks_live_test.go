package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
	"belfry/views"
)

// toldNow is what those who follow the feed are told when it looks again.
func toldNow(t *testing.T, f *feed) string {
	t.Helper()
	n := len(f.frames)
	if err := f.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, frame := range f.frames[n:] {
		told.Write(frame)
	}
	return told.String()
}

func TestTheListOfWebhooksTellsWhatHappens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		first, second := s.addHook("https://one.example/hook", "call.*"), s.addHook("https://two.example/hook", "message.*")
		list := &liveWebhooks{h: s.handlers, person: person{Account: s.account}}
		f := &feed{of: list, more: make(chan struct{})}
		if told := toldNow(t, f); told != "" || f.state.mark() != s.signedIn(store.RoleViewer).seenOn(views.WebhooksAddress) {
			t.Errorf("a page that has just been opened is told %q", told)
		}

		s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		row := toldNow(t, f)
		has(t, row, "Healthy", `hx-target="#`+views.WebhookRowID(store.Overview{Webhook: first})+`"`, "outerMorph")
		if strings.Contains(row, second.ID.String()) {
			t.Errorf("a row that did not change is told: %s", row)
		}

		for range 5 {
			s.event("message.sent", `{}`)
			s.answer(http.StatusInternalServerError)
		}
		whole := toldNow(t, f)
		has(t, whole, "Failing", `hx-target="#rows"`)
		if strings.Index(whole, second.ID.String()) > strings.Index(whole, first.ID.String()) {
			t.Errorf("trouble does not come first: %s", whole)
		}
		above, err := list.count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text, err := rendered(t.Context(), above)
		if err != nil {
			t.Fatal(err)
		}
		has(t, string(text), `hx-target="#numbers"`, "Success rate", `hx-target="#states"`, "In trouble")
	})
}

func TestTheListOfWebhooksIsFollowedByEachAsTheySeeIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		w := s.addHook("https://one.example/hook")
		for role, switches := range map[store.Role]bool{store.RoleAdmin: true, store.RoleViewer: false} {
			lines, end := s.signedIn(role).listen(webhooksLivePath + "?q=one.example")
			if row := until(t, lines, w.ID.String()); strings.Contains(row, "/toggle?q=one.example") != switches {
				t.Errorf("the role %s gets %s", role, row)
			}
			end()
		}
	})
}
