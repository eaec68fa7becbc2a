package handlers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/store/storetest"
)

// nobodysID is an id that is well formed and that nothing has.
const nobodysID = "01890a5d-ac96-774b-bcce-b302099a8057"

// apiCalls are all calls that need a key, by the scope they need.
func apiCalls() map[store.Scope][]string {
	one := "/webhooks/" + nobodysID
	return map[store.Scope][]string{
		store.ScopePublish: {"POST /events", "POST /events/batch"},
		store.ScopeRead: {
			"GET /webhooks", "GET " + one, "GET " + one + "/deliveries", "GET " + one + "/deliveries/summary",
			"GET /deliveries/" + nobodysID, "GET /events", "GET /events/" + nobodysID, "GET /event-types", "GET /limits", "GET /deliveries/resend/" + nobodysID,
		},
		store.ScopeManage: {
			"POST /webhooks", "PATCH " + one, "DELETE " + one, "POST " + one + "/rotate-secret", "POST " + one + "/test",
			"POST " + one + "/send-missed", "POST /test", "POST /deliveries/" + nobodysID + "/resend", "POST /event-types", "POST /deliveries/resend",
		},
	}
}

func TestNoCallWorksWithoutAKnownKey(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for _, calls := range apiCalls() {
			for _, call := range calls {
				method, path, _ := strings.Cut(call, " ")
				nobody := &caller{site: s}
				got := nobody.call(method, path, "no JSON").is(http.StatusUnauthorized).code("unauthorized")
				if !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: WWW-Authenticate is %q", call, got.header.Get("WWW-Authenticate"))
				}
				nobody.call(method, path, "", "Authorization", "Bearer bf_wrong").is(http.StatusUnauthorized)
				nobody.call(method, path, "", "Authorization", "Basic dTpw").is(http.StatusUnauthorized)
			}
		}
	})
}

func TestACallOutsideTheKeysScopeIsRefusedBeforeAnythingElse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		keys := map[store.Scope]*caller{}
		for _, scope := range store.Scopes() {
			keys[scope] = s.caller(scope)
		}
		for needs, calls := range apiCalls() {
			for _, call := range calls {
				method, path, _ := strings.Cut(call, " ")
				for has, k := range keys {
					got := k.call(method, path, "no JSON")
					if refused := got.status == http.StatusForbidden; refused == has.Holds(needs) {
						t.Errorf("%s with %s answered %d", call, has, got.status)
					} else if refused {
						got.code("insufficient_scope")
					}
				}
			}
		}
	})
}

func TestARevokedKeyIsWorthNothing(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		key, k, err := s.store.AddKey(t.Context(), s.account.ID, "old", []store.Scope{store.ScopeRead}, "")
		if err != nil {
			t.Fatal(err)
		}
		old := &caller{s, key}
		old.get("/limits").is(http.StatusOK)
		if err := s.store.RevokeKey(t.Context(), s.account.ID, k.ID, ""); err != nil {
			t.Fatal(err)
		}
		old.get("/limits").is(http.StatusUnauthorized)
	})
}

func TestAnotherAccountsIDIsTheSameAsAMissingOne(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		other, err := s.store.AddAccount(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		theirs, ours := s.callerOf(other, store.ScopeManage), s.caller(store.ScopeManage)
		webhook := theirs.hook("https://a.example/")
		event := theirs.publish()
		delivery := theirs.deliveries("/webhooks/" + webhook.ID.String() + "/deliveries")[0].ID
		var run startedJSON
		theirs.post("/deliveries/resend", "{}").is(http.StatusAccepted).into(&run)
		own := map[string]string{"webhooks": webhook.ID.String(), "events": event.String(), "deliveries": delivery.String(), "resend": run.ID.String()}
		for _, calls := range apiCalls() {
			for _, call := range calls {
				if !strings.Contains(call, nobodysID) {
					continue
				}
				method, path, _ := strings.Cut(call, " ")
				missing := told(ours.call(method, path, "").is(http.StatusNotFound))
				parts := strings.Split(path, "/")
				noun := parts[slices.Index(parts, nobodysID)-1]
				for _, id := range []string{own[noun], "no-id", strings.ToUpper(own[noun])} {
					if got := told(ours.call(method, strings.ReplaceAll(path, nobodysID, id), "").is(http.StatusNotFound)); got != missing {
						t.Errorf("%s: %s for another account's, %s for a missing one", call, got, missing)
					}
				}
			}
		}
		if list := theirs.deliveries("/webhooks/" + webhook.ID.String() + "/deliveries"); list[0].Status != "pending" {
			t.Errorf("something was done: %+v", list[0])
		}
	})
}

// told is a problem without the id of its request.
func told(r reply) string {
	return fmt.Sprint(r.member("type"), r.member("title"), r.member("detail"), r.member("errors"))
}

func TestAMissingIDComesBeforeBadInput(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		k.patch("/webhooks/"+nobodysID, "no JSON").is(http.StatusNotFound)
		k.post("/webhooks/"+nobodysID+"/test", `{"event":5}`).is(http.StatusNotFound)
		k.get("/webhooks/" + nobodysID + "/deliveries?limit=0").is(http.StatusNotFound)
	})
}

func TestAKeyHasItsRateAndEveryAnswerSaysWhereItStands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.Limits.APIRatePerMinute = 3 })
		k := s.caller(store.ScopeRead)
		for left, call := range []func() reply{
			func() reply { return k.get("/limits?").is(http.StatusOK) },
			func() reply { return k.get("/webhooks/" + nobodysID).is(http.StatusNotFound) },
			func() reply { return k.post("/webhooks", "{}").is(http.StatusForbidden) },
		} {
			got := call()
			if got.header.Get("RateLimit-Limit") != "3" || got.header.Get("RateLimit-Remaining") != fmt.Sprint(2-left) || got.header.Get("RateLimit-Reset") == "" {
				t.Errorf("call %d: %v", left+1, got.header)
			}
		}
		got := k.get("/limits").is(http.StatusTooManyRequests).code("rate_limited")
		if got.header.Get("Retry-After") == "" || got.header.Get("RateLimit-Remaining") != "0" {
			t.Errorf("refused with %v", got.header)
		}
		// The scope comes first, and other keys are untouched.
		k.post("/webhooks", "{}").is(http.StatusForbidden).code("insufficient_scope")
		s.caller(store.ScopeRead).get("/limits").is(http.StatusOK)
	})
}

func TestMetricsTakeAKeyWithReadOfTheFirstAccount(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ask := func(k *caller) answer {
			return s.visitor().send(http.MethodGet, "/metrics", nil, map[string]string{"Authorization": "Bearer " + k.key})
		}
		if got := s.visitor().get("/metrics"); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("without a key: %s", got.Status)
		}
		if got := ask(s.caller(store.ScopePublish)); got.StatusCode != http.StatusForbidden {
			t.Errorf("with publish: %s", got.Status)
		}
		other, err := s.store.AddAccount(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		got := ask(s.callerOf(other, store.ScopeManage))
		if has(t, got.body, "tell of all accounts", "Ask the operator", "-metrics-addr"); got.StatusCode != http.StatusForbidden || strings.Contains(got.body, "belfry_") {
			t.Errorf("with a key of another account: %s", got.Status)
		}
		if got := ask(s.caller(store.ScopeRead)); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "belfry_http_requests_total") {
			t.Errorf("with read: %s", got.Status)
		}
	})
}

func TestPagesAskWhoItIs(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		h := s.handlers
		who := func(c echo.Context) error {
			return c.String(http.StatusOK, personOf(c).Email+" "+personOf(c).Account.Name)
		}
		routes{s.web.Echo(), use(h.sessions.Middleware, h.signedIn)}.get("/test/read", who)
		admin := routes{s.web.Echo(), use(h.sessions.Middleware, h.signedIn, h.may(store.Role.CanEdit))}
		admin.get("/test/write", who)
		admin.post("/test/write", who)

		sentTo := func(got answer, want string) {
			t.Helper()
			if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
				t.Errorf("got %s to %q, want %q", got.Status, got.Header.Get("Location"), want)
			}
		}
		sentTo(s.visitor().get("/test/read?a=1"), "/welcome")
		viewer, owner := s.signedIn(store.RoleViewer), s.signedIn(store.RoleOwner)
		sentTo(s.visitor().get("/test/read?a=1&b=2"), "/login?next=%2Ftest%2Fread%3Fa%3D1%26b%3D2")
		sentTo(s.visitor().post("/test/write", nil), "/login")
		from := map[string]string{"Referer": s.server.URL + "/test/read"}
		sentTo(s.visitor().send(http.MethodPost, "/test/write", nil, from), "/login?next=%2Ftest%2Fread")
		from["Referer"] = "https://elsewhere.example/trap"
		sentTo(s.visitor().send(http.MethodPost, "/test/write", nil, from), "/login")
		part := s.visitor().send(http.MethodGet, "/test/read?part=1", nil, map[string]string{"HX-Request": "true", "HX-Current-URL": s.server.URL + "/test/read"})
		if part.StatusCode != http.StatusNoContent || part.Header.Get("HX-Redirect") != "/login?next=%2Ftest%2Fread" {
			t.Errorf("htmx: %s to %q", part.Status, part.Header.Get("HX-Redirect"))
		}

		if got := viewer.get("/test/read"); got.body != "viewer@example.com default" {
			t.Errorf("viewer reads: %s %s", got.Status, got.body)
		}
		for _, got := range []answer{viewer.get("/test/write"), viewer.post("/test/write", nil)} {
			if got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, "viewer") {
				t.Errorf("viewer writes: %s", got.Status)
			}
		}
		if got := owner.post("/test/write", nil); got.StatusCode != http.StatusOK {
			t.Errorf("owner writes: %s", got.Status)
		}
		if err := s.store.EndSessions(context.Background(), viewer.user.ID); err != nil {
			t.Fatal(err)
		}
		sentTo(viewer.get("/test/read"), "/login?next=%2Ftest%2Fread")
	})
}

func TestAPartOfAPageAnswersARefusalWithAToast(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		got := s.visitor().send(http.MethodGet, "/nowhere", nil, map[string]string{"HX-Request": "true"})
		if got.StatusCode != http.StatusNotFound || got.Header.Get("HX-Retarget") != "#toasts" || strings.Contains(got.body, "<html") {
			t.Errorf("got %s, %v, %s", got.Status, got.Header, got.body)
		}
	})
}
