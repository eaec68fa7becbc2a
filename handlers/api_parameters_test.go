package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

func TestNoCallOfTheAPITakesAParameterThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), nil)
	webhook := s.addHook("https://one.example/hook")
	s.failed(1)
	event, delivery := s.event("call.ended", `{}`)
	run, _, err := s.store.StartResend(t.Context(), s.account.ID, store.NewResend{By: "mira@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{
		"/webhooks/": webhook.ID.String(), "/deliveries/{id}": delivery.String(), "/deliveries/resend/": run.ID.String(), "/events/": event.String(),
	}
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	k := s.caller(store.ScopeManage)
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if path == "/openapi.json" {
				continue
			}
			at := path
			for prefix, id := range ids {
				if strings.HasPrefix(path, prefix) {
					at = strings.Replace(path, "{id}", id, 1)
				}
			}
			got := k.call(method, at+"?dry_rn=true", "")
			if got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %s with an unknown parameter: %d %s", method, path, got.status, got.body)
				continue
			}
			got.names("dry_rn")
			if strings.Contains(path, "{id}") {
				k.call(method, strings.Replace(path, "{id}", nobodysID, 1)+"?dry_rn=true", "").is(http.StatusNotFound)
			}
		}
	}
}

func TestARefusedParameterSaysWhatItMayBe(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.SQLite(t), nil)
	deliveries, k := "/webhooks/"+s.addHook("https://one.example/hook").ID.String()+"/deliveries", s.caller(store.ScopeRead)
	for call, says := range map[string]string{
		deliveries + "?limit=200":     "limit: must be a whole number from 1 to 100",
		deliveries + "?limit=":        "",
		"/events?limit=0":             "limit: must be a whole number from 1 to 100",
		deliveries + "?offset=20000":  `offset: must be a whole number from 0 to 10000; to go further follow the Link header's rel="next"`,
		deliveries + "?status=faild":  "status: must be one of pending, processing, delivered, failed, dead; did you mean failed?",
		"/webhooks?include_inactiv=1": "include_inactiv: is not known here; did you mean include_inactive?",
		"/webhooks?include_inactive=": "",
		"/limits?limit=1":             "limit: is not known here: this call takes no parameters; what it is told stands in its path and its body",
	} {
		if says == "" {
			k.get(call).is(http.StatusOK)
			continue
		}
		k.get(call).is(http.StatusUnprocessableEntity).tells(says)
	}
}
