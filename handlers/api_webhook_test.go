package handlers

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"belfry/store"
	"belfry/store/storetest"
)

// addedWebhook is what adding answers.
type addedWebhook struct {
	webhookJSON
	Secret *string
}

// addWebhook adds a webhook by the API.
func (k *caller) addWebhook(body string) addedWebhook {
	k.t.Helper()
	var w addedWebhook
	k.post("/webhooks", body).is(http.StatusCreated).into(&w)
	return w
}

// hook adds an unbound webhook for all events.
func (k *caller) hook(url string) addedWebhook {
	k.t.Helper()
	return k.addWebhook(`{"url":"` + url + `"}`)
}

func TestAddingAWebhookTellsItsSecretOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		reply := k.post("/webhooks", `{"url":"https://a.example/in","agent_id":"agent_1","events":["call.ended","message.*"],
			"description":"First","headers":{"X-Env":"production"},"active":true}`).is(http.StatusCreated)
		var w addedWebhook
		reply.into(&w)
		if w.Secret == nil || !regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=$`).MatchString(*w.Secret) {
			t.Errorf("secret %v", w.Secret)
		}
		if reply.header.Get("Location") != "/api/v1/webhooks/"+w.ID.String() {
			t.Errorf("Location %q", reply.header.Get("Location"))
		}
		if w.AgentID == nil || *w.AgentID != "agent_1" || len(w.Events) != 2 || w.Description != "First" || !w.Active || !w.HasSecret || w.Health != "none" {
			t.Errorf("got %+v", w)
		}
		if got := w.Headers["X-Env"]; got != "••••tion" {
			t.Errorf("header shown as %q", got)
		}
		again := k.get("/webhooks/" + w.ID.String()).is(http.StatusOK)
		if strings.Contains(string(again.body), *w.Secret) || strings.Contains(string(again.body), "production") {
			t.Errorf("a secret is told again: %s", again.body)
		}
		if inbox := k.hook(store.InboxURL); inbox.URL != store.InboxURL || inbox.Secret == nil {
			t.Errorf("the test inbox was added as %+v", inbox)
		}
	})
}

func TestAWebhookHasAnOwnSecretOrNoneWhereAsked(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		if w := k.addWebhook(`{"url":"https://a.example/","secret":"my own secret"}`); w.Secret == nil || *w.Secret != "my own secret" || !w.HasSecret {
			t.Errorf("own: %+v", w)
		}
		if w := k.addWebhook(`{"url":"https://b.example/","secret":null,"active":false}`); w.Secret != nil || w.HasSecret || w.Active || *w.DisabledReason != "manual" {
			t.Errorf("none: %+v", w)
		}
		for _, secret := range []string{`""`, `"short"`, `"whsec_not base64!"`, `"tab\tinside it"`} {
			k.post("/webhooks", `{"url":"https://c.example/","secret":`+secret+`}`).is(http.StatusUnprocessableEntity).names("secret")
		}
	})
}

func TestAWebhookIsRefusedWithTheFieldAndTheReason(t *testing.T) {
	tests := []struct{ body, field, says string }{
		{`{"url":"http://a.example/"}`, "url", "https://"},
		{`{"url":"https://user:pw@a.example/"}`, "url", "user and password"},
		{`{"url":"https://a.example/#part"}`, "url", "fragment"},
		{`{"url":"https://127.0.0.1/"}`, "url", "127.0.0.1"},
		{`{"url":"https://10.1.2.3/"}`, "url", "10.1.2.3"},
		{`{"url":"https://169.254.169.254/latest"}`, "url", "169.254.169.254"},
		{`{"url":"https://[::ffff:10.0.0.1]/"}`, "url", "leads to"},
		{`{"url":"https://in.private.example/"}`, "url", "leads to"},
		{`{"url":""}`, "url", "Enter the URL"},
		{`{}`, "url", "Enter the URL"},
		{`{"url":null}`, "url", "Enter the URL"},
		{`{"url":"https://a.example/","events":["call.endet"]}`, "events", "call.ended"},
		{`{"url":"https://a.example/","events":["cal.*"]}`, "events", "call.*"},
		{`{"url":"https://a.example/","agent_id":""}`, "agent_id", "128"},
		{`{"url":"https://a.example/","agent_id":"` + strings.Repeat("a", 129) + `"}`, "agent_id", "128"},
		{`{"url":"https://a.example/","headers":{"Content-Type":"x"}}`, "headers.Content-Type", "another name"},
		{`{"url":"https://a.example/","headers":{"X-A":"a\r\nb"}}`, "headers.X-A", "line breaks"},
		{`{"url":"https://a.example/","active":null}`, "active", "true or false"},
	}
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		for _, test := range tests {
			got := k.post("/webhooks", test.body).is(http.StatusUnprocessableEntity).names(test.field)
			if !strings.Contains(string(got.body), test.says) {
				t.Errorf("%s is refused without %q: %s", test.body, test.says, got.body)
			}
		}
		if list := k.get("/webhooks?include_inactive=true"); string(list.body) != "[]\n" {
			t.Errorf("something was done: %s", list.body)
		}
	})
}

func TestTheSameURLAndAgentIsAConflict(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		k.addWebhook(`{"url":"https://a.example/","agent_id":"one"}`)
		k.addWebhook(`{"url":"https://a.example/","agent_id":"two"}`)
		w := k.addWebhook(`{"url":"https://a.example/"}`)
		k.post("/webhooks", `{"url":"https://a.example/","agent_id":"one"}`).is(http.StatusConflict).code("conflict")
		k.post("/webhooks", `{"url":"https://a.example/","agent_id":null}`).is(http.StatusConflict)
		k.patch("/webhooks/"+w.ID.String(), `{"agent_id":"two"}`).is(http.StatusConflict)
		got := k.post("/webhooks", `{"url":"https://A.example:443/"}`).is(http.StatusConflict)
		if got.member("webhook_id") != w.ID.String() || !strings.Contains(got.member("detail").(string), w.ID.String()) {
			t.Errorf("the refusal does not name %s: %s", w.ID, got.body)
		}
	})
}

func TestTheEleventhWebhookIsRefusedEvenWhenManyComeAtOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		var calls sync.WaitGroup
		statuses := make([]int, 13)
		for i := range statuses {
			calls.Go(func() {
				statuses[i] = k.post("/webhooks", `{"url":"https://a.example/`+strings.Repeat("x", i)+`","active":false}`).status
			})
		}
		calls.Wait()
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		if count[http.StatusCreated] != 10 || count[http.StatusForbidden] != 3 {
			t.Errorf("got %v", count)
		}
		k.post("/webhooks", `{"url":"https://a.example/new"}`).is(http.StatusForbidden).code("webhook_quota_exceeded")
		// What is wrong with the input comes before the quota, and so does a conflict.
		k.post("/webhooks", `{"url":"http://a.example/new"}`).is(http.StatusUnprocessableEntity)
		var list []webhookJSON
		k.get("/webhooks?include_inactive=true").into(&list)
		k.post("/webhooks", `{"url":"`+list[0].URL+`"}`).is(http.StatusConflict)
		k.delete("/webhooks/" + list[0].ID.String()).is(http.StatusNoContent)
		k.post("/webhooks", `{"url":"https://a.example/new"}`).is(http.StatusCreated)
	})
}

func TestTheListOfWebhooksLeavesOutInactiveAndDeletedOnes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		active := k.addWebhook(`{"url":"https://a.example/","agent_id":"one"}`)
		paused := k.addWebhook(`{"url":"https://b.example/","agent_id":"two","active":false}`)
		gone := k.hook("https://c.example/")
		k.delete("/webhooks/" + gone.ID.String()).is(http.StatusNoContent)
		for path, want := range map[string][]addedWebhook{
			"/webhooks":                                     {active},
			"/webhooks?include_inactive=false":              {active},
			"/webhooks?include_inactive=true":               {active, paused},
			"/webhooks?agent_id=two":                        {},
			"/webhooks?agent_id=two&include_inactive=true":  {paused},
			"/webhooks?agent_id=none&include_inactive=true": {},
		} {
			var list []webhookJSON
			k.get(path).is(http.StatusOK).into(&list)
			if list == nil || len(list) != len(want) {
				t.Errorf("%s: %d webhooks, want %d", path, len(list), len(want))
				continue
			}
			for i := range want {
				if list[i].ID != want[i].ID {
					t.Errorf("%s: got %s at %d", path, list[i].URL, i)
				}
			}
		}
		k.get("/webhooks?include_inactive=yes").is(http.StatusUnprocessableEntity).names("include_inactive")
		k.get("/webhooks?agent_id=a&agent_id=b").is(http.StatusUnprocessableEntity).names("agent_id")
	})
}

func TestAPatchChangesOnlyWhatItNames(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.addWebhook(`{"url":"https://a.example/","agent_id":"one","events":["call.*"],"description":"d","headers":{"X-A":"first value","X-B":"second value"}}`)
		path := "/webhooks/" + w.ID.String()
		change := func(body string) (out webhookJSON) {
			t.Helper()
			k.patch(path, body).is(http.StatusOK).into(&out)
			return out
		}
		if got := change(`{"active":false}`); got.Active || *got.DisabledReason != "manual" || got.Health != "inactive" || *got.AgentID != "one" || len(got.Headers) != 2 {
			t.Errorf("paused: %+v", got)
		}
		if got := change(`{"active":true,"agent_id":null,"url":"https://b.example/"}`); !got.Active || got.DisabledReason != nil || got.AgentID != nil || got.URL != "https://b.example/" || got.Events[0] != "call.*" {
			t.Errorf("unbound: %+v", got)
		}
		if got := change(`{"headers":{"X-A":"••••alue","X-C":"a third value"},"events":null,"description":null}`); len(got.Headers) != 2 || got.Headers["X-C"] != "••••alue" || len(got.Events) != 0 || got.Description != "" {
			t.Errorf("emptied: %+v", got)
		}
		for body, field := range map[string]string{
			`{"url":null}`: "url", `{"url":"http://b.example/"}`: "url", `{"active":null}`: "active", `{"agent_id":""}`: "agent_id",
			`{"events":["nothing.known"]}`: "events", `{"secret":"x"}`: "secret", `{"active":"true"}`: "active",
		} {
			k.patch(path, body).is(http.StatusUnprocessableEntity).names(field)
		}
	})
}

func TestADeletedWebhookIsReadableAndNothingElse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		k.post("/events", `{"event":"call.ended","data":{}}`).is(http.StatusAccepted)
		path := "/webhooks/" + w.ID.String()
		if got := k.delete(path).is(http.StatusNoContent); len(got.body) > 0 {
			t.Errorf("204 with a body: %s", got.body)
		}
		var read webhookJSON
		k.get(path).is(http.StatusOK).into(&read)
		if read.DeletedAt == nil || read.Active || read.HasSecret {
			t.Errorf("got %+v", read)
		}
		if got := k.get(path + "/deliveries/summary").is(http.StatusOK); string(got.body) != `{"total":1,"pending":0,"processing":0,"delivered":0,"failed":0,"dead":1}`+"\n" {
			t.Errorf("summary %s", got.body)
		}
		var list []deliveryJSON
		k.get(path + "/deliveries").is(http.StatusOK).into(&list)
		if len(list) != 1 || list[0].Status != "dead" {
			t.Errorf("deliveries %+v", list)
		}
		k.post("/deliveries/"+list[0].ID.String()+"/resend", "").is(http.StatusConflict)
		// 410 comes before anything that is wrong with the body.
		k.delete(path).is(http.StatusGone).code("gone")
		k.patch(path, `{"url":1}`).is(http.StatusGone)
		for _, call := range []string{"/rotate-secret", "/test", "/send-missed"} {
			k.post(path+call, `{"nonsense":1}`).is(http.StatusGone)
		}
	})
}

func TestRotatingASecretKeepsTheOldOneForAWhile(t *testing.T) {
	type rotated struct {
		Secret        *string `json:"secret"`
		OverlapEndsAt *string `json:"overlap_ends_at"`
	}
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		path := "/webhooks/" + w.ID.String() + "/rotate-secret"
		rotate := func(body string) (out rotated) {
			t.Helper()
			k.post(path, body).is(http.StatusOK).into(&out)
			return out
		}
		if got := rotate(""); got.Secret == nil || *got.Secret == *w.Secret || got.OverlapEndsAt == nil {
			t.Errorf("without a body: %+v", got)
		}
		k.post(path, `{"overlap_hours":1}`).is(http.StatusConflict)
		if got := rotate(`{"secret":"an own secret","overlap_hours":0}`); *got.Secret != "an own secret" || got.OverlapEndsAt != nil {
			t.Errorf("at once: %+v", got)
		}
		for body, field := range map[string]string{
			`{"overlap_hours":-1}`: "overlap_hours", `{"overlap_hours":169}`: "overlap_hours", `{"overlap_hours":1.5}`: "overlap_hours",
			`{"overlap_hours":5124095576030432}`: "overlap_hours", `{"secret":""}`: "secret", `{"secret":"short"}`: "secret", `{"hours":1}`: "hours",
		} {
			k.post(path, body).is(http.StatusUnprocessableEntity).names(field)
		}
		if got := rotate(`{"secret":null,"overlap_hours":0}`); got.Secret != nil {
			t.Errorf("to none: %+v", got)
		}
		if got := rotate(`{}`); got.Secret == nil || got.OverlapEndsAt != nil {
			t.Errorf("from none to a secret is at once: %+v", got)
		}
	})
}

func TestANameThatDoesNotResolveIsTakenWithAWarning(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		t.Parallel()
		s := newSite(t, db, func(o *store.Options) { o.Resolver = noNames{} })
		w := s.caller(store.ScopeManage).hook("https://new.example/")
		if !strings.Contains(w.Warning, "new.example") {
			t.Errorf("warning %q", w.Warning)
		}
	})
}
