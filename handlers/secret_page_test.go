package handlers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/store"
)

// addsSecret adds a webhook through the form and gives where its secret is.
func (b *browser) addsSecret() string {
	b.t.Helper()
	action, fields := filled(b.t, b.get("/setup/webhooks/new").dom(b.t), "main form")
	a := b.post(action, set(fields, "url", "https://one.example/hook"))
	to := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasSuffix(to, "/secret") {
		b.t.Fatalf("adding a webhook leads to %q (%d)", to, a.StatusCode)
	}
	return to
}

func TestTheSecretIsShownOnceAndGoneOnReload(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		at := b.addsSecret()
		page := b.get(at).wants(t, http.StatusOK)
		if got := page.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control is %q", got)
		}
		secret := plain(page.dom(t), "#secret")
		if !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("the secret is %q", secret)
		}
		if strings.Contains(page.body, "The old secret") {
			t.Error("a first secret is shown as if it followed another one")
		}
		for range 2 {
			again := b.get(at).wants(t, http.StatusOK)
			has(t, again.body, "can&#39;t be shown again", "?confirm=rotate")
			if strings.Contains(again.body, secret) {
				t.Error("the secret is shown again")
			}
		}
	})
}

// A browser that sends a form twice gives up the page that answers the first.
func TestADoubleClickDoesNotLoseWhatIsShownOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		for form, shown := range map[string]string{"/setup/webhooks/new": "#secret", keysPath + "/new": "#key"} {
			action, fields := filled(t, b.get(form).dom(t), "main form")
			set(fields, "url", "https://one.example/hook", "name", "ci")
			given := b.get(b.post(action, fields).Header.Get("Location"))
			secret := plain(given.dom(t), shown)
			to := b.post(action, fields).Header.Get("Location")
			if got := plain(b.get(to).dom(t), shown); secret == "" || got != secret {
				t.Errorf("after a double click %s shows %q, want %q", to, got, secret)
			}
			if strings.Contains(b.get(to).body, secret) || strings.Contains(b.get(given.Request.URL.RequestURI()).body, secret) {
				t.Errorf("a reload of %s shows the secret again", to)
			}
		}
	})
}

func TestTheLanguagesAreLinksOfTheSameLook(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		doc := b.get(b.addsSecret()).dom(t)
		secret := plain(doc, "#secret")
		for i, label := range []string{"Python", "Node", "Go", "PHP", "Ruby", "Java"} {
			link := doc.Find("#verify nav a").Eq(i)
			if link.Text() != label {
				t.Fatalf("link %d is %q, want %q", i, link.Text(), label)
			}
			doc = b.get(link.AttrOr("href", "")).wants(t, http.StatusOK).dom(t)
			has(t, plain(doc, "#verify [aria-current]"), label)
			has(t, plain(doc, "#snippet"), secret, "webhook-signature")
			if i == 5 && strings.Contains(b.get(link.AttrOr("href", "")).body, secret) {
				t.Error("an address that was looked at shows the secret again")
			}
		}
		if got := b.get("/setup/webhooks").body; strings.Contains(got, secret) {
			t.Error("another page shows the secret")
		}
	})
}

func TestTheSecretIsForTheSessionThatMadeItAndForTenMinutes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		at := b.addsSecret()
		if other := s.signedIn(store.RoleOwner).get(at); strings.Contains(other.body, "whsec_") && strings.Contains(other.body, `id="secret"`) {
			t.Error("another session is shown the secret")
		}
		s.handlers.opt.Now = func() time.Time { return time.Now().Add(10*time.Minute + time.Second) }
		has(t, b.get(at).body, "can&#39;t be shown again")
	})
}

func TestAnUnsignedWebhookHasNoSecretPage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		add := b.get("/setup/webhooks/new").dom(t)
		if add.Find("[autofocus]").Length() != 1 || add.Find("#url[autofocus]").Length() != 1 {
			t.Error("the URL does not have the focus when the page opens")
		}
		action, fields := filled(t, add, "main form")
		to := b.post(action, set(fields, "url", "https://one.example/hook", "secret_kind", "none")).Header.Get("Location")
		if !strings.HasPrefix(to, "/setup/webhooks/") || strings.HasSuffix(to, "/secret") {
			t.Fatalf("it leads to %q", to)
		}
		has(t, plain(b.get(to).dom(t), "main"), "Not signed", "Add a secret")
	})
}

func TestASecretSurvivesAVisitorWhoLeavesWhileItIsMade(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		action, fields := filled(t, b.get("/setup/webhooks/new").dom(t), "main form")
		s.sendAndLeave(b, action, set(fields, "url", "https://one.example/hook"))
		if list, err := s.store.Webhooks(t.Context(), s.account.ID); err != nil || len(list) != 1 {
			t.Fatalf("%d webhooks after the visitor left, %v", len(list), err)
		}
		to := b.post(action, fields).Header.Get("Location")
		has(t, plain(b.get(to).dom(t), "#secret"), "whsec_")
	})
}

// sendAndLeave sends the form with a connection that is gone before the work
// begins.
func (s *site) sendAndLeave(b *browser, action string, fields url.Values) {
	s.t.Helper()
	ctx, leave := context.WithCancel(s.t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+action, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	at, err := url.Parse(s.server.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, cookie := range b.client.Jar.Cookies(at) {
		r.AddCookie(cookie)
	}
	r.Body = readThen{r.Body, leave}
	s.server.Config.Handler.ServeHTTP(httptest.NewRecorder(), r)
}

// readThen calls a function once the body has been read.
type readThen struct {
	io.ReadCloser
	then func()
}

func (r readThen) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil {
		r.then()
	}
	return n, err
}
