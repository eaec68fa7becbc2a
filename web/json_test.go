package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"belfry/store/uuid"
)

type sample struct {
	Event   string             `json:"event"`
	Count   int                `json:"count"`
	Small   int8               `json:"small"`
	Ratio   float64            `json:"ratio"`
	Active  *bool              `json:"active"`
	Events  []string           `json:"events"`
	Headers map[string]string  `json:"headers"`
	At      time.Time          `json:"at"`
	ID      uuid.UUID          `json:"id"`
	Inner   struct{ A string } `json:"inner"`
	Secret  Optional[string]   `json:"secret"`
	Data    json.RawMessage    `json:"data"`
}

func wantError(t *testing.T, err error, status int, field, detail string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a refusal with %d", err, status)
		return
	}
	if e.Status != status {
		t.Errorf("status %d, want %d: %v", e.Status, status, e)
	}
	if field != "-" && (len(e.Fields) != 1 || e.Fields[0].Field != field) {
		t.Errorf("fields %+v, want %q: %v", e.Fields, field, e)
	}
	if !strings.Contains(e.Detail, detail) {
		t.Errorf("detail %q does not say %q", e.Detail, detail)
	}
}

// faultyBody is a body, and how it is refused.
type faultyBody struct {
	body   string
	status int
	field  string // "-": any
	detail string
}

func wantRefused(t *testing.T, cases []faultyBody) {
	t.Helper()
	for _, tc := range cases {
		t.Run(strings.ToValidUTF8(tc.body[:min(len(tc.body), 40)], "?"), func(t *testing.T) {
			wantError(t, ParseJSON([]byte(tc.body), &sample{}), tc.status, tc.field, tc.detail)
		})
	}
}

func TestWhatIsNotJSONIsRefusedWithThePlace(t *testing.T) {
	wantRefused(t, []faultyBody{
		{``, 400, "-", "it is empty"},
		{" \n", 400, "-", "it is empty"},
		{`{"event":"a"`, 400, "-", "line 1, column 13: it ends too early"},
		{"{\n  \"event\": nope}", 400, "-", "line 2, column 13"},
		{`{"event":"a",}`, 400, "-", "column 13"},
		{`{'event':1}`, 400, "-", "column 2"},
		{`{"count":01}`, 400, "-", "column 11"},
		{`{"event":"a"} {}`, 400, "-", "column 14: more data"},
		{`{"event":"a"}x`, 400, "-", "column 14"},
		{"{\"event\":\"a\x00\"}", 400, "-", "column 12"},
		{`{"data":{"a":1,"a":2},"event":}`, 400, "-", "column 31"},
	})
}

func TestFaultyJSONIsNamedByFieldAndReason(t *testing.T) {
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	wantRefused(t, []faultyBody{
		{`{"event":"a","event":"b"}`, 422, "event", "is there twice"},
		{`{"data":{"a":{"b":1,"b":2}}}`, 422, "data.a.b", "is there twice"},
		{`{"event":"\u0000"}`, 422, "event", "NUL"},
		{`{"data":{"a":["x","y\u0000"]}}`, 422, "data.a[1]", "NUL"},
		{`{"data":{"a\u0000":1}}`, 422, "data.a\x00", "NUL"},
		{"{\"event\":\"\xff\"}", 422, "event", "UTF-8"},
		{"{\"data\":{\"a\":\"\xff\"}}", 422, "data.a", "UTF-8"},
		{`{"data":{"a":"\ud800"}}`, 422, "data.a", "surrogate"},
		{`{"data":` + deep + `}`, 422, "-", "deeper than 64"},
		{strings.Repeat(`[`, 100000), 422, "-", "deeper than 64"},
		{`{"nope":1}`, 422, "nope", "not known"},
		{`{"Event":"a"}`, 422, "Event", "not known"},
		{`{"inner":{"b":1}}`, 422, "inner.b", "not known"},
		{`{"event":1}`, 422, "event", "must be a string, not a number"},
		{`{"count":"1"}`, 422, "count", "must be a whole number, not a string"},
		{`{"count":1.5}`, 422, "count", "must be a whole number"},
		{`{"count":1e400}`, 422, "count", "whole number"},
		{`{"small":300}`, 422, "small", "out of range"},
		{`{"active":"yes"}`, 422, "active", "must be true or false, not a string"},
		{`{"events":"a"}`, 422, "events", "must be an array, not a string"},
		{`{"events":["a",2]}`, 422, "events[1]", "must be a string, not a number"},
		{`{"headers":{"X-Env":5}}`, 422, "headers.X-Env", "must be a string, not a number"},
		{`{"headers":[]}`, 422, "headers", "must be an object, not an array"},
		{`{"at":"yesterday"}`, 422, "at", "must be a time such as 2024-01-15T10:30:00Z."},
		{`{"at":5}`, 422, "at", "must be a time such as 2024-01-15T10:30:00Z, not a number."},
		{`{"id":"7"}`, 422, "id", "must be an id such as 01890a5d-ac96-774b-bcce-b302099a8057."},
		{`{"secret":5}`, 422, "secret", "must be a string, not a number"},
		{`[]`, 422, "", "The body must be an object, not an array"},
		{`"text"`, 422, "", "must be an object"},
	})
}

func TestFaultsInABatchNameTheIndex(t *testing.T) {
	var batch []sample
	wantError(t, ParseJSON([]byte(`[{"event":"a"},{"event":2}]`), &batch), 422, "[1].event", "string")
	wantError(t, ParseJSON([]byte(`[{"event":"a"},{"data":{"x":1,"x":1}}]`), &batch), 422, "[1].data.x", "twice")
	wantError(t, ParseJSON([]byte(`[{},{},{"nope":2}]`), &batch), 422, "[2].nope", "not known")
	wantError(t, ParseJSON([]byte(`{}`), &batch), 422, "", "must be an array")
}

func TestGoodJSONIsTakenWhole(t *testing.T) {
	body := `{"event":"call.ended","count":3,"ratio":0.5,"active":false,"events":["a"],"headers":{"X":"y"},` +
		`"at":"2024-01-15T10:30:00.123456Z","id":"01890a5d-ac96-774b-bcce-b302099a8057","secret":null,"data":null}`
	var got sample
	if err := ParseJSON([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Event != "call.ended" || got.Count != 3 || *got.Active || got.Events[0] != "a" || got.Headers["X"] != "y" ||
		got.At.Nanosecond() != 123456000 || got.ID.Version() != 7 || !got.Secret.Set || !got.Secret.Null || string(got.Data) != "null" {
		t.Errorf("%+v", got)
	}
}

func TestAbsentNullAndEmptyAreToldApart(t *testing.T) {
	for body, want := range map[string]Optional[string]{
		`{}`: {}, `{"secret":null}`: {Set: true, Null: true}, `{"secret":""}`: {Set: true}, `{"secret":"x"}`: {Set: true, Value: "x"},
	} {
		var got sample
		if err := ParseJSON([]byte(body), &got); err != nil || got.Secret != want {
			t.Errorf("%s: %+v %v", body, got.Secret, err)
		}
	}
}

func TestRawMembersKeepTheirBytes(t *testing.T) {
	for _, raw := range []string{
		"{ \"b\" : 1.0e+2,\n\t\"a\":\"\\u00e9<&>\\/ \u2028\", \"n\": 12345678901234567890.10, \"e\":{} }",
		`{"a":"\\u0000","b":"\"[[[[","c":"\\"}`, `[ ]`, `"é"`, `-0`,
	} {
		var got sample
		if err := ParseJSON([]byte(`{"data":`+raw+`,"event":"x"}`), &got); err != nil || string(got.Data) != raw {
			t.Errorf("%q became %q, %v", raw, got.Data, err)
		}
	}
}

func TestBracketsInStringsAreNotNesting(t *testing.T) {
	body := `{"event":"` + strings.Repeat("[", 200) + `\"` + strings.Repeat("{", 200) + `"}`
	if err := ParseJSON([]byte(body), &sample{}); err != nil {
		t.Error(err)
	}
	if err := ParseJSON([]byte(`{"data":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}`), &sample{}); err != nil {
		t.Errorf("64 levels: %v", err)
	}
}

func TestBodiesMustBePlainJSON(t *testing.T) {
	s, _ := newServer(t, Options{BodyLimit: 50})
	s.Echo().POST("/must", func(c echo.Context) error { return decoded(c, DecodeJSON) })
	s.Echo().POST("/may", func(c echo.Context) error { return decoded(c, DecodeOptionalJSON) })
	long := `{"event":"` + strings.Repeat("x", 50) + `"}`
	for _, tc := range []struct {
		path, contentType, encoding, body string
		want                              int
	}{
		{"/must", "application/json", "", `{"event":"a"}`, 200},
		{"/must", "Application/JSON; charset=UTF-8", "", `{}`, 200},
		{"/must", "application/json; charset=latin1", "", `{}`, 415},
		{"/must", "text/plain", "", `{}`, 415},
		{"/must", "", "", `{}`, 415},
		{"/must", "application/x-www-form-urlencoded", "", `{}`, 415},
		{"/must", "application/json", "gzip", `{}`, 415},
		{"/must", "application/json", "", ``, 400},
		{"/must", "application/json", "", long, 413},
		{"/may", "", "", ``, 200},
		{"/may", "", "", " \n", 200},
		{"/may", "", "", `{}`, 415},
		{"/may", "application/json", "", `{}`, 200},
		{"/may", "application/json", "", `{`, 400},
		{"/may", "application/json", "", long, 413},
	} {
		r := httptest.NewRequest(http.MethodPost, tc.path, strings.NewReader(tc.body))
		setIf(r.Header, "Content-Type", tc.contentType)
		setIf(r.Header, "Content-Encoding", tc.encoding)
		if rec := do(t, s, r); rec.Code != tc.want {
			t.Errorf("%+v: %d", tc, rec.Code)
		}
	}
}

func decoded(c echo.Context, decode func(echo.Context, any) error) error {
	if err := decode(c, &sample{}); err != nil {
		return err
	}
	return ok(c)
}

func FuzzWhatIsTakenIsJSONThatAnybodyReadsTheSameWay(f *testing.F) {
	for _, seed := range []string{`{"data":{"a":1}}`, `{"data":"\u0000"}`, `{"data":{"a":1,"a":2}}`, "{\"event\":\"\xff\"}", `[`, `{"data":"\ud800"}`, `{"data":[1e999]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got sample
		err := ParseJSON(body, &got)
		if err == nil {
			if !json.Valid(body) || strings.Contains(got.Event, "\x00") {
				t.Errorf("taken: %q", body)
			}
			return
		}
		var refused *Error
		if !errors.As(err, &refused) || refused.Detail == "" {
			t.Errorf("%q: %v", body, err)
		}
	})
}
