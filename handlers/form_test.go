package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"

	"belfry/store"
	"belfry/web"
)

// formPage adds a form at /test/form that counts what it does. Its field "how"
// says how it goes: well, refused, or broken.
func formPage(s *site) *atomic.Int64 {
	h, done := s.handlers, &atomic.Int64{}
	post := func(c echo.Context) error {
		fields, err := web.Form(c)
		if err != nil {
			return err
		}
		return h.submit(c, fields.Get(tokenField), func(context.Context) (string, error) {
			switch fields.Get("how") {
			case "refused":
				return "", &store.Error{Code: store.CodeInvalid, Detail: "the input is not valid", Fields: []store.FieldError{{Field: "url", Detail: "use https"}}}
			case "conflict":
				return "", &store.Error{Code: store.CodeConflict, Detail: "somebody was faster"}
			case "broken":
				return "", errors.New("a pipe burst")
			case "panic":
				panic("at the disco")
			}
			done.Add(1)
			return "/test/done?how=" + fields.Get("how"), nil
		}, func(f *formFaults) error {
			return c.String(f.Status, f.Detail+f.Of("url")+f.Of("agent_id"))
		})
	}
	routes{s.web.Echo(), use(h.sessions.Middleware, h.signedIn)}.post("/test/form", post)
	return done
}

func TestAFormThatIsSentTwiceCountsOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		done := formPage(s)
		b := s.signedIn(store.RoleAdmin)
		fields := url.Values{"token": {store.NewFormToken()}, "how": {"well"}}
		var clicks sync.WaitGroup
		for range 4 {
			clicks.Go(func() {
				got := b.post("/test/form", fields)
				if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/test/done?how=well" {
					t.Errorf("got %s to %q", got.Status, got.Header.Get("Location"))
				}
			})
		}
		clicks.Wait()
		again := b.send(http.MethodPost, "/test/form", fields, map[string]string{"HX-Request": "true"})
		if again.StatusCode != http.StatusNoContent || again.Header.Get("HX-Redirect") != "/test/done?how=well" {
			t.Errorf("htmx: %s to %q", again.Status, again.Header.Get("HX-Redirect"))
		}
		if n := done.Load(); n != 1 {
			t.Errorf("it was done %d times", n)
		}
		if got := s.signedIn(store.RoleOwner).post("/test/form", fields); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("another's token: %s", got.Status)
		}
	})
}

func TestARefusedFormIsShownAgainAndMayBeSentAnew(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		done := formPage(s)
		b := s.signedIn(store.RoleAdmin)
		token := store.NewFormToken()
		send := func(how string) answer { return b.post("/test/form", url.Values{"token": {token}, "how": {how}}) }
		if got := send("refused"); got.StatusCode != http.StatusUnprocessableEntity || got.body != "Use https." {
			t.Errorf("refused: %s %q", got.Status, got.body)
		}
		if got := send("conflict"); got.StatusCode != http.StatusConflict || got.body != "Somebody was faster." {
			t.Errorf("conflict: %s %q", got.Status, got.body)
		}
		for _, how := range []string{"broken", "panic"} {
			got := send(how)
			if got.StatusCode != http.StatusInternalServerError || strings.Contains(got.body, "pipe") || !strings.Contains(got.body, got.Header.Get("X-Request-Id")) {
				t.Errorf("%s: %s %s", how, got.Status, got.body)
			}
		}
		if got := send("well"); got.StatusCode != http.StatusSeeOther || done.Load() != 1 {
			t.Errorf("sent anew: %s, done %d times", got.Status, done.Load())
		}
		if got := b.post("/test/form", url.Values{"token": {"forged"}}); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("forged token: %s", got.Status)
		}
	})
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		done := formPage(s)
		b := s.signedIn(store.RoleAdmin)
		got := b.send(http.MethodPost, "/test/form", url.Values{"token": {store.NewFormToken()}, "how": {"well"}}, map[string]string{"Sec-Fetch-Site": "cross-site"})
		if got.StatusCode != http.StatusForbidden || done.Load() != 0 {
			t.Errorf("got %s, done %d times", got.Status, done.Load())
		}
	})
}
