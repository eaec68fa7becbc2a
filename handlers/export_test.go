package handlers

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"belfry/store"
)

// publishMany publishes n events of a type, each with its number in the data.
func (s *site) publishMany(n int, event, agent string) {
	s.t.Helper()
	for done := 0; done < n; {
		var events []store.NewEvent
		for ; done < n && len(events) < 400; done++ {
			events = append(events, store.NewEvent{Type: event, AgentID: agent, Data: fmt.Appendf(nil, `{"number":%d}`, done)})
		}
		if _, _, err := s.store.Publish(s.t.Context(), store.Publication{AccountID: s.account.ID, Events: events}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// table reads an answer as CSV: the heads and the rows by them.
func (a answer) table(t *testing.T) (heads []string, rows []map[string]string) {
	t.Helper()
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	lines, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, text := range line {
			row[lines[0][i]] = text
		}
		rows = append(rows, row)
	}
	return lines[0], rows
}

// objects reads an answer as one JSON array of objects.
func (a answer) objects(t *testing.T) (rows []map[string]any) {
	t.Helper()
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal([]byte(a.body), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestAnExportHoldsAllThatIsFilteredNewestFirst(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.publishMany(1100, "call.ended", "berlin") // three pages of what is read at once
		s.publishMany(5, "message.sent", "berlin")
		b := s.signedIn(store.RoleAdmin)
		a := b.get(logsExportPath + "?format=csv&event=call.ended")
		has(t, a.Header.Get("Content-Disposition"), "attachment", "belfry-deliveries-", ".csv")
		heads, rows := a.table(t)
		if len(rows) != 1100 || slices.Contains(heads, "data") {
			t.Fatalf("%d rows under %v", len(rows), heads)
		}
		newestFirst := slices.IsSortedFunc(rows, func(a, b map[string]string) int { return strings.Compare(b["id"], a["id"]) })
		if first := rows[0]; !newestFirst || first["status"] != "pending" || first["url"] != "https://one.example/hook" || first["agent_id"] != "berlin" {
			t.Errorf("newest first: %v; the first is %v", newestFirst, first)
		}
		objects := b.get(logsExportPath + "?format=json&data=1&event=call.*").objects(t)
		if len(objects) != 1100 || objects[0]["id"] != rows[0]["id"] || objects[1099]["id"] != rows[1099]["id"] {
			t.Fatalf("%d objects, from %v", len(objects), objects[0])
		}
		if data := fmt.Sprint(objects[0]["data"]); data != "map[number:1099]" || objects[0]["last_status_code"] != nil {
			t.Errorf("the first is %v", objects[0])
		}
		if got := b.get(logsExportPath + "?format=json&event=call.never").body; got != "[]\n" {
			t.Errorf("of nothing there is %q", got)
		}
	})
}

func TestAnExportGoesOnWhereASearchWouldStop(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		b := s.signedIn(store.RoleOwner)
		for _, path := range []string{logsExportPath, eventsExportPath} {
			if rows := b.get(path + "?format=json&data=1&q=rare").objects(t); len(rows) != 3 {
				t.Errorf("%s: %d rows, want all 3 of 35", path, len(rows))
			}
		}
	})
}

// sendings notes how much of an answer was there each time that it was sent off.
type sendings struct {
	*httptest.ResponseRecorder
	sent []string
}

func (s *sendings) Flush() { s.sent = append(s.sent, s.Body.String()) }

func TestAnExportBeginsBeforeItsFirstMatchIsFound(t *testing.T) {
	searching(t, func(t *testing.T, s *site, _ store.Webhook) {
		b := s.signedIn(store.RoleOwner)
		for _, path := range []string{logsExportPath, eventsExportPath} {
			for format, head := range map[string]string{"csv": "id,", "json": "["} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path+"?q=nowhere&format="+format, nil)
				for _, cookie := range b.client.Jar.Cookies(r.URL) {
					r.AddCookie(cookie)
				}
				got := &sendings{ResponseRecorder: httptest.NewRecorder()}
				s.web.Handler().ServeHTTP(got, r)
				if first := slices.Concat(got.sent, []string{""})[0]; !strings.HasPrefix(first, head) || strings.Count(first, "\n") > 1 {
					t.Errorf("%s as %s: %q is sent first, of %d times in all", path, format, first, len(got.sent))
				}
				if rows := []any{}; format == "json" && (len(got.sent) < 4 || json.Unmarshal(got.Body.Bytes(), &rows) != nil || len(rows) > 0) {
					t.Errorf("%s: sent off %d times, and ends as %q", path, len(got.sent), got.Body)
				}
			}
		}
	})
}

func TestAnExportOfEventsHoldsThoseThatWentNowhereToo(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook", "call.*")
		s.publishMany(70, "call.ended", "")
		s.publishMany(1, "message.sent", "oslo")
		b := s.signedIn(store.RoleOwner)
		heads, rows := b.get(eventsExportPath + "?format=csv").table(t)
		if len(rows) != 71 || slices.Contains(heads, "data") || rows[0]["event"] != "message.sent" || rows[0]["webhooks"] != "0" || rows[1]["webhooks"] != "1" {
			t.Errorf("%d rows under %v, the first %v", len(rows), heads, rows[0])
		}
		_, rows = b.get(eventsExportPath + "?format=csv&data=1&agent=oslo").table(t)
		if len(rows) != 1 || rows[0]["data"] != `{"number":0}` {
			t.Errorf("with data: %v", rows)
		}
	})
}

func TestASpreadsheetTakesNoCellForAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+49": "'+49", "-1": "'-1", "@sum": "'@sum", "\tx": "'\tx", "\rx": "'\rx", "a=b": "a=b", "": "", "'x": "'x",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.publishMany(1, "call.ended", "=cmd|' /C calc'!A0")
		b := s.signedIn(store.RoleOwner)
		for _, path := range []string{logsExportPath, eventsExportPath} {
			if _, rows := b.get(path + "?format=csv").table(t); rows[0]["agent_id"] != "'=cmd|' /C calc'!A0" {
				t.Errorf("%s: %v", path, rows[0])
			}
			if rows := b.get(path + "?format=json").objects(t); rows[0]["agent_id"] != "=cmd|' /C calc'!A0" {
				t.Errorf("%s: %v", path, rows[0])
			}
		}
	})
}

func TestAnExportHoldsNoSecret(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		_, secret, _, err := s.store.CreateWebhook(t.Context(), s.account.ID, store.NewWebhook{
			URL: "https://one.example/hook", Active: true, Headers: []store.Header{{Name: "X-Key", Value: "a-custom-value"}},
		})
		if err != nil || secret == "" {
			t.Fatal(secret, err)
		}
		s.event("call.ended", `{"call_id":"c1"}`)
		s.answer(http.StatusServiceUnavailable)
		b := s.signedIn(store.RoleOwner)
		for _, path := range []string{logsExportPath, eventsExportPath} {
			for _, format := range []string{"csv", "json"} {
				a := b.get(path + "?data=1&format=" + format)
				if has(t, a.body, "call_id"); strings.Contains(a.body, secret) || strings.Contains(a.body, "a-custom-value") {
					t.Errorf("%s as %s holds a secret", path, format)
				}
			}
		}
	})
}

func TestOnlyAdminsAndOwnersTakeDataOut(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		s.event("call.ended", `{}`)
		visitor := s.visitor()
		for role, want := range map[store.Role]int{store.RoleViewer: http.StatusForbidden, store.RoleAdmin: http.StatusOK, store.RoleOwner: http.StatusOK} {
			b := s.signedIn(role)
			for page, path := range map[string]string{logsPath: logsExportPath, eventsPath: eventsExportPath} {
				if a := b.get(path + "?format=csv"); a.StatusCode != want {
					t.Errorf("%s %s: %d, want %d", role, path, a.StatusCode, want)
				}
				form := b.get(page + "?event=call.ended").dom(t).Find("#export form")
				if offered := form.Length() == 1; offered != (want == http.StatusOK) {
					t.Errorf("%s: %s offers an export: %v", role, page, offered)
				} else if kept, _ := form.Find("input[name=event]").Attr("value"); offered && kept != "call.ended" {
					t.Errorf("the export of %s forgets the filters", page)
				}
				if a := visitor.get(path + "?format=csv"); a.StatusCode != http.StatusSeeOther {
					t.Errorf("a visitor gets %d from %s", a.StatusCode, path)
				}
			}
		}
	})
}

func TestAnExportIsOfOneAccountAndInAFormatThatIsKnown(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		other, err := s.store.AddAccount(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		w, _, _, err := s.store.CreateWebhook(t.Context(), other.ID, store.NewWebhook{URL: "https://theirs.example/", Active: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.store.Publish(t.Context(), store.Publication{AccountID: other.ID, Events: []store.NewEvent{{Type: "call.ended", Data: []byte(`{}`)}}}); err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleOwner)
		for _, query := range []url.Values{{}, {"webhook": {w.ID.String()}}} {
			query.Set("format", "json")
			if a := b.get(logsExportPath + "?" + query.Encode()); strings.Contains(a.body, "theirs.example") {
				t.Errorf("%v gives another account's: %s", query, a.body)
			}
		}
		if got := b.get(eventsExportPath + "?format=json").body; got != "[]\n" {
			t.Errorf("another account's events: %s", got)
		}
		for _, path := range []string{logsExportPath, logsExportPath + "?format=xls", eventsExportPath + "?format="} {
			if a := b.get(path); a.StatusCode != http.StatusUnprocessableEntity || a.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: %d", path, a.StatusCode)
			}
		}
	})
}
