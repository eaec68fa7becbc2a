package handlers

import (
	"net/http"
	"strings"
	"testing"

	"belfry/store"
)

func TestMalformedBodiesAreRefusedByEveryCallThatTakesOne(t *testing.T) {
	tests := []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"malformed", `{"url":`, nil, http.StatusBadRequest, "malformed"},
		{"two values", `{} {}`, nil, http.StatusBadRequest, "malformed"},
		{"duplicate", `{"event":"a.b","event":"a.b","url":"x","url":"y","name":"a.b","name":"a.c","since":null,"since":null,"secret":"s","secret":"t"}`, nil, http.StatusUnprocessableEntity, "invalid"},
		{"unknown", `{"nonsense":1}`, nil, http.StatusUnprocessableEntity, "invalid"},
		{"NUL", `{"event":"a\u0000b","url":"a\u0000b","name":"a\u0000b","secret":"a\u0000b"}`, nil, http.StatusUnprocessableEntity, "invalid"},
		{"invalid UTF-8", "{\"event\":\"a\xff\",\"url\":\"\xff\",\"name\":\"\xff\",\"secret\":\"\xff\"}", nil, http.StatusUnprocessableEntity, "invalid"},
		{"half a pair", `{"event":"\ud800"}`, nil, http.StatusUnprocessableEntity, "invalid"},
		{"a list", `[1]`, nil, http.StatusUnprocessableEntity, "invalid"},
		{"content type", `{}`, []string{"Content-Type", ""}, http.StatusUnsupportedMediaType, "wrong_content_type"},
		{"form", `a=b`, []string{"Content-Type", "", "Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, "wrong_content_type"},
		{"compressed", `{}`, []string{"Content-Encoding", "gzip"}, http.StatusUnsupportedMediaType, "wrong_content_encoding"},
		{"too large", `{"a":"` + strings.Repeat("x", 9<<20) + `"}`, nil, http.StatusRequestEntityTooLarge, "too_large"},
	}
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		w := k.hook("https://a.example/")
		one := "/webhooks/" + w.ID.String()
		for _, call := range []string{
			"POST /events", "POST /events/batch", "POST /webhooks", "PATCH " + one, "POST " + one + "/rotate-secret",
			"POST " + one + "/test", "POST " + one + "/send-missed", "POST /test", "POST /event-types", "POST /deliveries/resend",
		} {
			method, path, _ := strings.Cut(call, " ")
			for _, test := range tests {
				if got := k.call(method, path, test.body, test.headers...); got.status != test.status {
					t.Errorf("%s, %s: got %d, want %d: %s", call, test.name, got.status, test.status, got.body)
				} else {
					got.code(test.code)
				}
			}
		}
		var read webhookJSON
		k.get(one).into(&read)
		if !read.UpdatedAt.Equal(w.UpdatedAt) {
			t.Error("something was done")
		}
	})
}

func TestAWrongTypeNamesItsField(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeManage)
		for body, field := range map[string]string{
			`{"url":5}`: "url", `{"url":"https://a.example/","events":"call.ended"}`: "events", `{"url":"https://a.example/","events":[5]}`: "events[0]",
			`{"url":"https://a.example/","headers":{"X-A":5}}`: "headers.X-A", `{"url":"https://a.example/","active":"yes"}`: "active",
		} {
			k.post("/webhooks", body).is(http.StatusUnprocessableEntity).names(field)
		}
		k.post("/events/batch", `[{"event":"call.ended","data":{}},{"event":"call.ended","data":{"call_id":"a\u0000"}}]`).
			is(http.StatusUnprocessableEntity).names("[1].data.call_id")
	})
}

func TestAnAddressThatIsNoTextIsRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		k := s.caller(store.ScopeRead)
		for _, path := range []string{"/webhooks?agent_id=%00", "/webhooks?agent_id=%ff", "/events?event=%ff"} {
			k.get(path).is(http.StatusBadRequest).code("bad_query")
		}
	})
}
