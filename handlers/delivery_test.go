package handlers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
)

func TestADeliverySaysWhereItStandsAndWhatComesNext(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		w := s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{"call_id":"c1"}`)
		page := func() string { return plain(b.get(deliveryPath(id)).dom(t), "#delivery") }
		has(t, page(), "Pending", "has not been sent yet", "Attempt 1", "next", "Failed if none succeeds")
		s.answer(http.StatusServiceUnavailable)
		has(t, page(), "Attempt 1 of 6 answered 503 Service Unavailable.", "If attempt 6 fails too", "Next attempt", "Attempt 2 next", "x-env", "••••prod", "HTTP/1.1 503")
		no := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &no, By: "mira@example.com"}); err != nil {
			t.Fatal(err)
		}
		has(t, page(), "Pending, held", "Its webhook was paused by mira@example.com.", "when the webhook is reactivated")
		if err := s.store.DeleteWebhook(t.Context(), s.account.ID, w.ID); err != nil {
			t.Fatal(err)
		}
		has(t, page(), "Dead", "Its webhook was deleted before it could be delivered.")
	})
}

func TestADeliveredDeliveryIsResentOnceAfterAQuestion(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		w := s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		doc := b.get(deliveryPath(id) + "?confirm=resend").dom(t)
		has(t, plain(doc, "#delivery"), "Attempt 1 answered 200 OK in 12 ms.")
		has(t, plain(doc, ".actions"), "Copy as curl, masked")
		has(t, plain(doc, "dialog#resend"), "The delivery gets up to 11 more attempts, 6 new ones and the 5 it has not used.")
		if doc.Find("dialog#resend[open]").Length() != 1 {
			t.Fatal("the question is not open")
		}
		token, _ := doc.Find("dialog#resend input[name=token]").Attr("value")
		fields := url.Values{"token": {token}}
		for range 2 {
			a := b.post(deliveryPath(id)+"/resend", fields)
			if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != deliveryPath(id) {
				t.Fatalf("%d to %s", a.StatusCode, a.Header.Get("Location"))
			}
		}
		d, err := s.store.Delivery(t.Context(), s.account.ID, id)
		if err != nil || d.Status != store.Pending || d.MaxAttempts != 12 {
			t.Fatalf("%v, %d attempts at most, %v; want pending and one set of 6 more", d.Status, d.MaxAttempts, err)
		}
		has(t, plain(b.get(deliveryPath(id)).dom(t), ".why"), "It was delivered by attempt 1, and is sent again: attempt 2 is next.", "Attempt 1 delivered it at ")
		s.answer(http.StatusOK)
		arrived := plain(b.get(deliveryPath(id)).dom(t), ".why")
		if has(t, arrived, "Attempt 2 answered 200 OK", "Attempt 1 delivered it at "); strings.Contains(arrived, "It took") {
			t.Errorf("each of two attempts delivered it, and the page says %q", arrived)
		}
		no := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &no}); err != nil {
			t.Fatal(err)
		}
		token, _ = b.get(deliveryPath(id)).dom(t).Find("dialog#resend input[name=token]").Attr("value")
		b.post(deliveryPath(id)+"/resend", url.Values{"token": {token}})
		has(t, plain(b.get(deliveryPath(id)).dom(t), "body"), "Resent, and held: its webhook is inactive.")
		if err := s.store.DeleteWebhook(t.Context(), s.account.ID, w.ID); err != nil {
			t.Fatal(err)
		}
		has(t, plain(b.get(deliveryPath(id)).dom(t), ".why"), "Its webhook was deleted before it could be delivered again.", "Attempt 2 delivered it at ")
	})
}

func TestAPendingDeliveryIsSentNow(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		w := s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		s.answer(http.StatusServiceUnavailable)
		sendNow := func() string {
			doc := b.get(deliveryPath(id)).dom(t)
			has(t, plain(doc, ".actions"), "Send now")
			action, fields := filled(t, doc, ".actions form")
			b.post(action, fields).leads(t, deliveryPath(id))
			part := b.send(http.MethodGet, deliveryPath(id), nil, refreshOf(t, doc.Find("#delivery")))
			if shown := plain(part.dom(t), "#toasts"); shown != "" {
				t.Errorf("a page that refreshes itself is told %q", shown)
			}
			return plain(b.get(deliveryPath(id)).dom(t), "#toasts")
		}
		has(t, sendNow(), "Due now. Attempt 2 goes out at once.")
		if jobs := s.claim(); len(jobs) != 1 || jobs[0].DeliveryID != id || jobs[0].Attempt != 2 || jobs[0].MaxAttempts != 6 {
			t.Fatalf("claimed %+v, want attempt 2 of 6 at once", jobs)
		} else if err := s.store.GiveBack(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		action, fields := filled(t, b.get(deliveryPath(id)).dom(t), ".actions form")
		no := false
		if _, _, err := s.store.UpdateWebhook(t.Context(), s.account.ID, w.ID, store.WebhookPatch{Active: &no}); err != nil {
			t.Fatal(err)
		}
		b.post(action, fields)
		has(t, plain(b.get(deliveryPath(id)).dom(t), "body"), "Due now, and held: its webhook is inactive.", "Send now: Its webhook is inactive. Reactivate it")
	})
}

func TestADeliverySaysWhichOfItsAttemptsAreNotListed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		said := func() string { return plain(b.get(deliveryPath(id)).dom(t), ".section-head") }
		for n := 1; n <= store.AttemptsListed+2; n++ {
			s.answer(http.StatusOK)
			if n == store.AttemptsListed && strings.Contains(said(), "listed") {
				t.Errorf("of %d attempts all are listed, and the page says %q", n, said())
			}
			if _, err := s.store.Resend(t.Context(), s.account.ID, id); err != nil {
				t.Fatal(err)
			}
		}
		has(t, said(), "the newest 30 of 32 are listed")
	})
}

func TestAViewerIsOfferedNoResend(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleViewer)
		s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		doc := b.get(deliveryPath(id)).dom(t)
		if doc.Find("main form, main dialog").Length() != 0 {
			t.Error("a viewer sees a form")
		}
		has(t, plain(doc, ".actions"), "Your role is viewer")
	})
}

func TestSecretsAreMaskedInTheMiddleAndShellsAreNotFooled(t *testing.T) {
	a := &store.Attempt{
		URL:         "https://one.example/it's",
		Request:     []store.Header{{Name: "X-Webhook-Signature", Value: "sha256=8c1f0babcdefe49a"}, {Name: "webhook-signature", Value: "v1,Yk3vQxabcdefZs8= v1,AAAAAABBBBBBBBCCCC"}},
		RequestBody: []byte(`{"event":"a.b","data":{"x":"$(rm)'"},"signature":"sha256=8c1f0babcdefe49a"}`),
	}
	copied := curlOf(a)
	got := copied.Text
	if !copied.Masked || !strings.HasPrefix(got, "# Signatures and secret headers are cut here. Put in your own, or the endpoint refuses this.\ncurl -X POST ") {
		t.Error("the copy does not begin by saying that it is not whole:", got)
	}
	has(t, got, `'https://one.example/it'\''s'`, "sha256=8c1f0b…e49a", "v1,Yk3vQx…Zs8= v1,AAAAAA…CCCC", `"signature":"sha256=8c1f0b…e49a"}'`, `$(rm)'\''`)
	if strings.Contains(got, "abcdef") {
		t.Error("a signature is not masked:", got)
	}
	a.Request, a.RequestBody = []store.Header{{Name: "X-Webhook-Event", Value: "a.b"}}, []byte(`{"event":"a.b","data":{}}`)
	if whole := curlOf(a); whole.Masked || strings.Contains(whole.Text, "#") {
		t.Error("nothing is masked, and the copy says", whole.Text)
	}
	a.Request[0].Value = store.Mask("Bearer 0123456789")
	if !curlOf(a).Masked {
		t.Error("a header is masked, and the copy does not say so")
	}
}

func TestAWaitThatTheEndpointAskedForIsSaid(t *testing.T) {
	at := time.Date(2026, 11, 21, 14, 31, 22, 0, time.UTC)
	first := store.Attempt{Number: 1, StartedAt: store.At(at), StatusCode: 503, Error: "status", Response: []store.Header{{Name: "Retry-After", Value: "600"}}}
	s := &deliveryStory{Delivery: &store.Delivery{Status: store.Pending, Attempts: 1, MaxAttempts: 6, NextAttemptAt: store.At(at.Add(10 * time.Minute))}, limits: store.DefaultLimits(), attempts: []store.Attempt{first}}
	if got := s.honoured(&first); got != "honoured: attempt 2 waits 10 min" {
		t.Error(got)
	}
	has(t, s.why().Bold, "Attempt 1 of 6 answered 503 Service Unavailable, and asked for 10 min of patience.")
	first.Response[0].Value = "9999999999999"
	if got := askedWait(&first); got != 24*time.Hour {
		t.Errorf("a wait of 300,000 years is taken for %v", got)
	}
	first.Response[0].Value = "1"
	s.NextAttemptAt = store.At(at.Add(5 * time.Second))
	if got := s.honoured(&first); got != "the schedule waits longer: attempt 2 after 5 s" {
		t.Error(got)
	}
}

func TestTheTimeLineHasEveryAttemptThatMayCome(t *testing.T) {
	at := time.Date(2026, 11, 21, 14, 30, 0, 0, time.UTC)
	s := &deliveryStory{Delivery: &store.Delivery{Status: store.Pending, MaxAttempts: 6, CreatedAt: store.At(at), NextAttemptAt: store.At(at)}, limits: store.DefaultLimits()}
	var titles []string
	for _, step := range s.steps(at) {
		titles = append(titles, step.Title+" "+strings.Join(step.Lines, " "))
	}
	has(t, strings.Join(titles, "; "), "Published 14:30:00; Attempt 1 14:30:00 at once; Attempt 2 about 14:30 after 5 s; Attempt 3 about 14:31 after 1 min", "Attempt 6 about 21:41 after 6 h; Failed if none succeeds")
	for earlier, want := range map[int]string{1: "Attempt 1", 6: "Attempts 1–6"} {
		s.Attempts, s.ScheduleStart, s.MaxAttempts = earlier, earlier, earlier+6
		if got := s.steps(at)[1]; got.Title != want || got.Lines[0] != "before it was resent" {
			t.Errorf("%d attempts before it was resent: %q", earlier, got.Title)
		}
	}
}

func TestADeliveryThatArrivedBeforeSaysSoWhateverBecameOfTheRepeat(t *testing.T) {
	at := time.Date(2026, 11, 21, 14, 31, 22, 0, time.UTC)
	for status, want := range map[store.Status]string{
		store.Failed:     "Attempt 1 delivered it at 14:31:22 UTC. ",
		store.Dead:       "Attempt 1 delivered it at 14:31:22 UTC. Reactivate the webhook, then resend this delivery if it still matters: it gets up to 16 more attempts, 6 new ones and the 10 it has not used.",
		store.Processing: "Attempt 1 delivered it at 14:31:22 UTC. The endpoint has 10 s",
		store.Pending:    "Attempt 1 delivered it at 14:31:22 UTC. If attempt 12 fails too",
	} {
		s := &deliveryStory{
			Delivery: &store.Delivery{Status: status, Attempts: 2, MaxAttempts: 12, ScheduleStart: 1}, limits: store.DefaultLimits(), now: at.Add(time.Hour),
			attempts: []store.Attempt{{Number: 1, StatusCode: 200, StartedAt: store.At(at)}, {Number: 2, StatusCode: 500, Error: "status", StartedAt: store.At(at.Add(time.Minute))}},
		}
		has(t, s.why().Text, want)
	}
	late := &deliveryStory{
		Delivery: &store.Delivery{Status: store.Dead, WebhookDeleted: true, Attempts: 1, MaxAttempts: 6}, now: at,
		attempts: []store.Attempt{{Number: 1, StatusCode: 200, StartedAt: store.At(at)}},
	}
	has(t, late.why().Bold+" "+late.why().Text, "Its webhook was deleted while attempt 1 was under way. Attempt 1 delivered it at 14:31:22 UTC.")
	s := &deliveryStory{now: at.Add(48 * time.Hour)}
	has(t, s.arrivedWords(&store.Attempt{Number: 3, StartedAt: store.At(at)}), "Attempt 3 delivered it on 21 Nov 2026 at 14:31 UTC.")
}

func TestAHeldDeliverySaysWhyItWaitsAndHowItGoesOn(t *testing.T) {
	for _, tt := range []struct {
		held string
		rate int
		want []string
	}{
		{store.HeldRate, 1000, []string{"waits for its turn", "as the rate of 1,000 a minute allows: up to 50 at once, then about 16.7 a second, oldest first."}},
		{store.HeldRate, 10, []string{"the rate of 10 a minute allows: up to 50 at once, then one every 6 s"}},
		{store.HeldRate, 600_000, []string{"the rate of 600,000 a minute allows: up to 500 at once, then 10,000 a second"}},
		{store.HeldProbing, 1000, []string{"10 failed attempts in a row", "waits longer than the schedule of retries says", "alone after 5 s, 1 min, 10 min, then every 15 min, the oldest and the newest by turns"}},
	} {
		s := &deliveryStory{Delivery: &store.Delivery{Status: store.Pending, Held: tt.held, HeldUntil: store.At(time.Now())}, limits: store.DefaultLimits()}
		s.limits.RatePerMinute = tt.rate
		if at := s.why().At; tt.held == store.HeldRate && !at.IsZero() {
			t.Errorf("it waits for its turn, and is said to go on at %v", at)
		}
		has(t, s.why().Bold+" "+s.why().Text, tt.want...)
	}
}

func TestWhatIsSaidOfTheEndpointIsWhatItDid(t *testing.T) {
	s := &deliveryStory{Delivery: &store.Delivery{}, webhook: &store.Overview{Health: store.Health{State: store.HealthHealthy, Attempts: 2, Failed: 2}}}
	if got := s.endpointWords(); got != "" {
		t.Errorf("nothing succeeded, and the page says %q", got)
	}
	s.webhook.Health.Attempts = 9
	has(t, s.endpointWords(), "7 of its 9 attempts of the last hour succeeded")
}

func TestWhatToDoAboutAFailureIsSaidOfWhatHappened(t *testing.T) {
	hook := &store.Overview{Webhook: store.Webhook{HasSecret: true, Headers: []store.Header{{Name: "X-Key"}}}}
	signed := []store.Header{{Name: "webhook-signature", Value: "v1,AAAA"}}
	for _, tt := range []struct {
		webhook *store.Overview
		attempt store.Attempt
		want    string
	}{
		{hook, store.Attempt{StatusCode: 401, Error: "status"}, "the current secret, and what it wants to find in X-Key."},
		{nil, store.Attempt{StatusCode: 401, Error: "status", Request: signed}, "the current secret."},
		{nil, store.Attempt{StatusCode: 401, Error: "status"}, "is not signed"},
		{nil, store.Attempt{StatusCode: 410, Error: "gone"}, "a test changes nothing"},
		{nil, store.Attempt{StatusCode: 429, Error: "status", Response: []store.Header{{Name: "Retry-After", Value: "120"}}}, "asks to wait 2 min. Deliveries of real events wait that long; a test you send again yourself."},
		{nil, store.Attempt{StatusCode: 503, Error: "status"}, "maintenance. Send the test again yourself, a little later."},
		{hook, store.Attempt{StatusCode: 429, Error: "status"}, "Its Retry-After is honoured"},
		{hook, store.Attempt{StatusCode: 308, Error: "redirect", Response: []store.Header{{Name: "location", Value: "https://new.example/"}}}, "leads to https://new.example/;"},
		{hook, store.Attempt{Error: "tls", Detail: "the certificate expired on 19 Nov 2026"}, "Renew the certificate: it expired 3 days ago."},
		{hook, store.Attempt{Error: "timeout"}, "may take 10 s"},
	} {
		s := &deliveryStory{
			Delivery: &store.Delivery{Test: tt.webhook == nil}, webhook: tt.webhook, limits: store.DefaultLimits(), now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
		}
		has(t, s.advice(&tt.attempt), tt.want)
	}
}

// refreshOf gives the headers with which an element fetches itself anew.
func refreshOf(t *testing.T, element *goquery.Selection) map[string]string {
	t.Helper()
	headers := map[string]string{"HX-Request": "true", "HX-Request-Type": "partial"}
	if err := json.Unmarshal([]byte(element.AttrOr("hx-headers", "")), &headers); err != nil {
		t.Fatal(err)
	}
	return headers
}
