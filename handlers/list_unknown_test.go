package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/store"
	"belfry/views"
)

func TestListsSayWhatOfTheirAddressTheyDoNotUnderstand(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		hook := s.addHook("https://one.example/hook")
		s.failed(1)
		b := s.signedIn(store.RoleAdmin)
		run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{By: "mira@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ path, says, leadsTo string }{
			{logsPath + "?status=faild&q=", "Unknown status “faild”: did you mean failed? Showing all statuses.", "?q=&status=failed"},
			{logsPath + "?status=nonsense", "Unknown status “nonsense”. It can be pending, held, processing, delivered, failed, dead. Showing all statuses.", "?"},
			{logsPath + "?statsu=failed&before=" + nobodysID, "Unknown filter “statsu”: did you mean status? It is left out.", "?status=failed"},
			{logsPath + "?error=tmeout", "Unknown error “tmeout”: did you mean timeout? Showing all kinds of errors.", "?error=timeout"},
			{logsPath + "?code=20", "Not understood: code “20”. A code is a number from 100 to 999. Showing all codes.", "?"},
			{logsPath + "?time=24hh", "Unknown time “24hh”: did you mean 24h? Showing all times.", "?time=24h"},
			{logsPath + "?from=yesterday", "Not understood: from “yesterday”. A moment is written as 2026-01-31T14:00", "?"},
			{logsPath + "?status=failed&status=dead", "status is there twice. Only the first counts.", "?status=failed"},
			{logsPath + "?error=" + strings.Repeat("x", 50), "error “" + strings.Repeat("x", 40) + "…”", "?"},
			{logsPath + "?status=held&error=dns&code=500&time=1h", "", ""},
			{logsPath + "?time=range", "", ""},
			{logsPath + "?time=1h&from=2026-01-02&after=" + nobodysID, "", ""},
			{logsPath + "?statsu=", "", ""},
			{logsPath + "?event=call.endd&status=failed", "Unknown event “call.endd”: did you mean call.ended? Nothing of this type was published.", "?event=call.ended&status=failed"},
			{logsPath + "?event=nothing.like.this", "Unknown event “nothing.like.this”. Nothing of this type was published.", "?"},
			{logsPath + "?event=call.*", "", ""},
			{eventsPath + "?event=call.endd", "Unknown event “call.endd”: did you mean call.ended?", "?event=call.ended"},
			{eventsPath + "?agnet=berlin", "Unknown filter “agnet”: did you mean agent?", "?agent=berlin"},
			{eventsPath + "?status=failed", "Unknown filter “status”. The filters here are event, agent, time, from, to, q. It is left out.", "?"},
			{views.WebhooksAddress + "?state=troubel", "Unknown state “troubel”: did you mean trouble? Showing webhooks in all states.", "?state=trouble"},
			{views.WebhooksAddress + "?sort=-sucess", "Unknown sort “-sucess”: did you mean -success?", "?sort=-success"},
			{cataloguePath + "?source=builtn&open=call.ended", "Unknown source “builtn”: did you mean builtin?", "?open=call.ended&source=builtin"},
			{inboxPath + "?status=failed", "Unknown filter “status”. Nothing can be filtered here. It is left out.", "?"},
			{views.RunsAddress + "?status=failed", "Unknown filter “status”. Nothing can be filtered here.", "?"},
			{"/setup/webhooks/" + hook.ID.String() + "?range=24", "Unknown range “24”: did you mean 24h? Showing the last 24 hours.", "?range=24h"},
			{runPath(run.ID) + "?outcome=faild", "Unknown outcome “faild”: did you mean failed? Showing all outcomes.", "?outcome=failed"},
		} {
			doc := b.get(tt.path).wants(t, http.StatusOK).dom(t)
			said := doc.Find(".message.tone-warn")
			if got := strings.Join(strings.Fields(said.Find(".prose").Text()), " "); tt.says == "" && got != "" || !strings.Contains(got, tt.says) {
				t.Errorf("%s: it says %q, want %q", tt.path, got, tt.says)
			}
			if to := said.Find("a").First().AttrOr("href", ""); to != tt.leadsTo {
				t.Errorf("%s leads to %q, want %q", tt.path, to, tt.leadsTo)
			}
		}
	})
}

// misspelt are addresses of a log that ask for something which nobody knows.
func misspelt() []string {
	return []string{"error=tmeout", "statsu=dead", "status=faild", "time=24hh", "from=yesterday", "code=20", "status=failed&status=dead", "webhok=" + nobodysID}
}

func TestAMisspeltFilterNeverExportsEverything(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.failed(1)
		b := s.signedIn(store.RoleAdmin)
		for _, query := range misspelt() {
			for _, path := range []string{logsExportPath, eventsExportPath} {
				a := b.get(path+"?format=csv&data=1&"+query).wants(t, http.StatusUnprocessableEntity)
				if strings.Contains(a.Header.Get("Content-Type"), "csv") {
					t.Errorf("%s?%s: a file came", path, query)
				}
			}
		}
		has(t, plain(b.get(logsExportPath+"?format=csv&error=tmeout").dom(t), "main"), "Unknown error “tmeout”: did you mean timeout?")
		b.get(logsExportPath+"?format=csv&data=1&status=failed").wants(t, http.StatusOK)
	})
}

func TestAMisspeltFilterNeverResendsAnything(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.failed(1)
		b := s.signedIn(store.RoleAdmin)
		for _, query := range append(misspelt(), "status=pending", "status=held") {
			doc := b.get(views.BulkAddress+"?"+query).wants(t, http.StatusOK).dom(t)
			if doc.Find("main form").Length() > 0 {
				t.Errorf("%s: it can be begun", query)
			}
			has(t, plain(doc, "main"), "Resend what?", "Nothing is resent")
			fields := url.Values{"token": {store.NewFormToken()}, "pace": {usualPace}}
			again := b.post(views.BulkAddress+"?"+query, fields).wants(t, http.StatusUnprocessableEntity)
			has(t, plain(again.dom(t), "main"), "Nothing is resent")
		}
		if runs, err := s.store.ResendRuns(t.Context(), s.account.ID, 10); err != nil || len(runs) > 0 {
			t.Errorf("begun: %v %v", runs, err)
		}
	})
}
