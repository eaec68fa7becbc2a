package handlers

import (
	"net/http"
	"net/url"
	"testing"

	"belfry/store"
)

// addMira makes a user who can sign in.
func (s *site) addMira() {
	s.t.Helper()
	if _, err := s.store.AddUser(s.t.Context(), s.account.ID, "mira@example.com", store.RoleAdmin, testPassword); err != nil {
		s.t.Fatal(err)
	}
}

func TestSigningInLeadsToThePageAskedFor(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addMira()
		b := s.visitor()
		b.get("/setup/webhooks?state=trouble").leads(t, "/login?next=%2Fsetup%2Fwebhooks%3Fstate%3Dtrouble")
		action, fields := filled(t, b.get("/login?next=%2Fsetup%2Fwebhooks%3Fstate%3Dtrouble").dom(t), "form")
		b.post(action, set(fields, "email", "Mira@Example.com", "password", testPassword)).leads(t, "/setup/webhooks?state=trouble")
		has(t, plain(b.get("/setup/webhooks").wants(t, http.StatusOK).dom(t), ".side-foot"), "mira@example.com", "Admin")
		b.get("/login?next=//elsewhere.example").leads(t, "/setup/webhooks")
		b.post("/logout", nil).leads(t, "/login")
		b.get("/setup/webhooks").leads(t, "/login")
	})
}

func TestAWrongPairIsOneSentenceAndTheEmailStays(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addMira()
		b := s.visitor()
		for _, email := range []string{"mira@example.com", "nobody@example.com"} {
			doc := b.post("/login", set(url.Values{}, "email", email, "password", "wrong")).wants(t, http.StatusUnprocessableEntity).dom(t)
			has(t, plain(doc, "[role=alert]"), "don't belong together")
			if got, _ := doc.Find("#email").Attr("value"); got != email {
				t.Errorf("the email that comes back is %q", got)
			}
			if _, kept := doc.Find("#password").Attr("value"); !kept || doc.Find("#password").AttrOr("value", "") != "" {
				t.Error("the password comes back")
			}
		}
		b.get("/setup/webhooks").leads(t, "/login")
	})
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addMira()
		b := s.visitor()
		for range 6 {
			b.post("/login", set(url.Values{}, "email", "mira@example.com", "password", "wrong"))
		}
		a := b.post("/login", set(url.Values{}, "email", "mira@example.com", "password", testPassword)).wants(t, http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") == "" {
			t.Error("nothing says how long to wait")
		}
		has(t, plain(a.dom(t), "[role=alert]"), "Wait")
	})
}

func TestTheFirstRunMakesOneOwnerAndThenIsGone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		code, open, err := s.store.WelcomeCode(t.Context())
		if err != nil || !open {
			t.Fatal(open, err)
		}
		b := s.visitor()
		b.get("/setup/webhooks").leads(t, "/welcome")
		b.get("/login").leads(t, "/welcome")
		action, fields := filled(t, b.get("/welcome").dom(t), "form")
		if first := b.post(action, fields).dom(t).Find(".summary li a").First().AttrOr("href", ""); first != "#code" {
			t.Errorf("of three faults %q is named first", first)
		}
		doc := b.post(action, set(fields, "code", "WRONG", "email", "not an email", "password", "short")).wants(t, http.StatusUnprocessableEntity).dom(t)
		has(t, plain(doc, ".form-error"), "12")
		if got := doc.Find("#code").AttrOr("value", ""); got != "WRONG" {
			t.Errorf("the code that comes back is %q", got)
		}
		fields = set(fields, "code", code, "email", "mira@example.com", "password", testPassword)
		b.post(action, fields).leads(t, "/setup/webhooks")
		b.get("/setup/webhooks").wants(t, http.StatusOK)

		// A double click: the second form signs in and makes nobody.
		again := s.visitor()
		again.post(action, fields).leads(t, "/setup/webhooks")
		users, err := s.store.Users(t.Context(), s.account.ID)
		if err != nil || len(users) != 1 || users[0].Role != store.RoleOwner {
			t.Errorf("users %v, %v", users, err)
		}
		s.visitor().get("/welcome").wants(t, http.StatusNotFound)
		s.visitor().post(action, set(fields, "password", "another password of mine")).wants(t, http.StatusNotFound)
	})
}

func TestTheWelcomeFormIsNoWayAroundTheWaitForWrongPasswords(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addMira()
		b := s.visitor()
		for range 5 {
			b.post("/welcome", set(url.Values{}, "code", "x", "email", "mira@example.com", "password", "wrong")).wants(t, http.StatusNotFound)
		}
		b.post("/welcome", set(url.Values{}, "code", "x", "email", "mira@example.com", "password", testPassword)).wants(t, http.StatusNotFound)
		b.post("/login", set(url.Values{}, "email", "mira@example.com", "password", testPassword)).wants(t, http.StatusTooManyRequests)
	})
}

func TestTooManyWrongCodesMakeANewOneAndPrintIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		if _, _, err := s.store.WelcomeCode(t.Context()); err != nil {
			t.Fatal(err)
		}
		b := s.visitor()
		fields := set(url.Values{}, "code", "0000-0000-0000-0000", "email", "mira@example.com", "password", testPassword)
		for range 5 {
			b.post("/welcome", fields).wants(t, http.StatusUnprocessableEntity)
		}
		if len(s.printed) != 1 {
			t.Fatalf("%d codes were printed, want 1", len(s.printed))
		}
		b.post("/welcome", set(fields, "code", s.printed[0])).leads(t, "/setup/webhooks")
	})
}
