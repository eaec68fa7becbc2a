package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"belfry/store"
)

func TestAKeyIsShownOnceToTheSessionThatMadeIt(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		has(t, plain(b.get(keysPath).dom(t), "main"), "No API keys yet")
		fields := fieldsOf(b.get(keysPath+"/new").dom(t), "main form")
		wrong := b.post(keysPath, url.Values{"token": fields["token"], "scopes": {"read"}})
		if doc := wrong.dom(t); wrong.StatusCode != http.StatusUnprocessableEntity || doc.Find("input[value=read][checked]").Length() != 1 {
			t.Errorf("%d: the choice of scopes is lost", wrong.StatusCode)
		} else {
			has(t, plain(doc, "#name-error"), "Give the key a name")
		}
		fields.Set("name", "telephony-prod")
		b.post(keysPath, fields).leads(t, keysPath)
		b.post(keysPath, fields).leads(t, keysPath+"?again="+fields.Get(tokenField))
		doc := b.get(keysPath).dom(t)
		key := plain(doc, "#key")
		if k, err := s.store.KeyByToken(t.Context(), key); err != nil || !k.Holds(store.ScopePublish) || k.Holds(store.ScopeRead) {
			t.Fatalf("%v, %v", k, err)
		}
		has(t, plain(doc, "#key-curl"), "Authorization: Bearer "+key, "/api/v1/events")
		again := b.get(keysPath)
		if strings.Contains(again.body, key) {
			t.Error("it is shown a second time")
		}
		has(t, plain(again.dom(t), "tbody"), "telephony-prod", key[len(key)-4:], "publish", "by admin@example.com")
		if n := again.dom(t).Find("tbody tr").Length(); n != 1 {
			t.Errorf("%d keys, want one", n)
		}
	})
}

func TestAKeyIsRevokedAfterAQuestion(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		token, k, err := s.store.AddKey(t.Context(), s.account.ID, "old", []store.Scope{store.ScopeRead}, "")
		if err != nil {
			t.Fatal(err)
		}
		b := s.signedIn(store.RoleAdmin)
		doc := b.get(keysPath + "?revoke=" + k.ID.String()).dom(t)
		has(t, plain(doc, "dialog[open]"), "Revoke old?", "It was never used.")
		action, _ := doc.Find("dialog form").Attr("action")
		if a := b.post(action, fieldsOf(doc, "dialog form")); a.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d", a.StatusCode)
		}
		if _, err := s.store.KeyByToken(t.Context(), token); !store.IsCode(err, store.CodeNotFound) {
			t.Error("the key still works:", err)
		}
		has(t, plain(b.get(keysPath).dom(t), "tbody .at-when"), "revoked now")
	})
}
