package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

// contract is the API document, read as strictly as kin-openapi can.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	doc.SetStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"uuid": openapi3.NewCallbackValidator(func(text string) error { _, err := uuid.Parse(text); return err }),
		"date-time": openapi3.NewCallbackValidator(func(text string) error {
			_, err := time.Parse("2006-01-02T15:04:05.999999Z", text)
			return err
		}),
	})
	return doc, doc.Validate(context.Background())
})

var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := contract()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// caller calls the API with one key. Every answer is held against the document,
// and so is every request that was accepted.
type caller struct {
	*site
	key string
}

// caller makes a key of these scopes for the site's account.
func (s *site) caller(scopes ...store.Scope) *caller {
	s.t.Helper()
	return s.callerOf(s.account, scopes...)
}

func (s *site) callerOf(account store.Account, scopes ...store.Scope) *caller {
	s.t.Helper()
	key, _, err := s.store.AddKey(s.t.Context(), account.ID, "test", scopes, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return &caller{s, key}
}

// reply is an answer of the API.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// into reads the body, refusing members that the type does not know.
func (r reply) into(v any) {
	r.t.Helper()
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		r.t.Fatalf("%v in %s", err, r.body)
	}
}

// member reads one member of the body's object.
func (r reply) member(name string) any {
	r.t.Helper()
	var object map[string]any
	r.into(&object)
	return object[name]
}

// is stops the test unless the answer has this status.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("got %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// tells fails the test unless the problem's detail is this.
func (r reply) tells(detail string) reply {
	r.t.Helper()
	var p struct{ Detail string }
	if err := json.Unmarshal(r.body, &p); err != nil {
		r.t.Fatal(err)
	}
	if p.Detail != detail {
		r.t.Errorf("the problem tells %q, want %q", p.Detail, detail)
	}
	return r
}

// names fails the test unless the problem names exactly these fields.
func (r reply) names(fields ...string) reply {
	r.t.Helper()
	var p struct {
		Title, Detail string
		Errors        []struct{ Field, Detail string }
	}
	if err := json.Unmarshal(r.body, &p); err != nil {
		r.t.Fatal(err)
	}
	if p.Detail == p.Title+"." {
		r.t.Errorf("the detail tells nothing: %s", r.body)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Field)
		if e.Detail == "" {
			r.t.Errorf("%s is refused without a reason", e.Field)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		r.t.Errorf("fields %q are named, want %q: %s", got, fields, r.body)
	}
	return r
}

// code fails the test unless the problem is of this kind.
func (r reply) code(code string) reply {
	r.t.Helper()
	if got := r.member("code"); got != code {
		r.t.Errorf("code %v, want %s: %s", got, code, r.body)
	}
	return r
}

func (k *caller) get(path string) reply { k.t.Helper(); return k.call(http.MethodGet, path, "") }

func (k *caller) post(path, body string) reply {
	k.t.Helper()
	return k.call(http.MethodPost, path, body)
}

func (k *caller) patch(path, body string) reply {
	k.t.Helper()
	return k.call(http.MethodPatch, path, body)
}

func (k *caller) delete(path string) reply { k.t.Helper(); return k.call(http.MethodDelete, path, "") }

// call sends a request to a path below /api/v1. The headers are name, value,
// name, value; an empty value leaves a usual header out.
func (k *caller) call(method, path, body string, headers ...string) reply {
	k.t.Helper()
	r, err := http.NewRequestWithContext(k.t.Context(), method, k.server.URL+apiPath+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	if k.key != "" {
		r.Header.Set("Authorization", "Bearer "+k.key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	out := reply{k.t, resp.StatusCode, resp.Header, text}
	holdToContract(k.t, r, body, out)
	return out
}

// holdToContract checks the answer against the document, and the request too
// where it was accepted.
func holdToContract(t *testing.T, r *http.Request, body string, got reply) {
	t.Helper()
	router, err := contractRouter()
	if err != nil {
		t.Fatal(err)
	}
	asked := r.Clone(r.Context())
	asked.URL.Scheme, asked.URL.Host, asked.Host = "", "", ""
	asked.Body = io.NopCloser(strings.NewReader(body))
	route, params, err := router.FindRoute(asked)
	if err != nil {
		t.Fatalf("%s %s is not in the document: %v", r.Method, r.URL.Path, err)
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true,
	}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: options}
	if got.status < 300 {
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			t.Errorf("%s %s was accepted against the document: %v", r.Method, r.URL.Path, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: got.status, Header: got.header, Options: options}
	if err := openapi3filter.ValidateResponse(r.Context(), out.SetBodyBytes(got.body)); err != nil {
		t.Errorf("%s %s answered %d against the document: %v\n%s", r.Method, r.URL.Path, got.status, err, got.body)
	}
	if got.status >= 400 && got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s refused as %q", r.Method, r.URL.Path, got.header.Get("Content-Type"))
	}
}

func TestTheDocumentIsServedToAnybodyAndTellsOfEveryRouteThatThereIs(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	var told, there []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			told = append(told, method+" "+apiPath+path)
		}
	}
	s := newSite(t, storetest.SQLite(t), nil)
	for _, r := range s.web.Echo().Routes() {
		if strings.HasPrefix(r.Path, "/api/") {
			there = append(there, r.Method+" "+strings.NewReplacer(":id", "{id}").Replace(r.Path))
		}
	}
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(told, there) {
		t.Errorf("the document tells of\n%s\nthere are\n%s", strings.Join(told, "\n"), strings.Join(there, "\n"))
	}
	if got := (&caller{site: s}).get("/openapi.json").is(http.StatusOK); !bytes.Equal(got.body, document) {
		t.Error("another document is served")
	}
}
