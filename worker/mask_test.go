package worker

import (
	"slices"
	"strings"
	"testing"

	"belfry/store"
)

func TestWhatAnAnswerRepeatsOfTheSecretsIsHidden(t *testing.T) {
	const quoted = `tok"en/1<2&3`
	e := &store.Endpoint{Secret: testSecret, Next: "my own secret", Headers: []store.Header{
		{Name: "Authorization", Value: "Bearer abcdefgh12345678"}, {Name: "X-Odd", Value: quoted}, {Name: "X-Env", Value: "prod"}, {Name: "X-No", Value: "1"},
	}}
	for body, want := range map[string]string{
		`{"ok":true}`: `{"ok":true}`,
		`{"authorization":"Bearer abcdefgh12345678"}`:                      `{"authorization":"••••5678"}`,
		`your token is abcdefgh12345678, and again abcdefgh12345678`:       `your token is ••••5678, and again ••••5678`,
		`{"x-odd":"tok\"en/1<2&3"}`:                                        `{"x-odd":"••••<2&3"}`,
		`{"x-odd":"tok\"en/1\u003c2\u00263"}`:                              `{"x-odd":"••••<2&3"}`,
		`{"x-odd":"tok\"en\/1\u003c2\u00263"}`:                             `{"x-odd":"••••<2&3"}`,
		`<td>tok&#34;en/1&lt;2&amp;3</td>`:                                 `<td>••••<2&3</td>`,
		`x=tok%22en%2F1%3C2%263&y`:                                         `x=••••<2&3&y`,
		"key " + testSecret:                                                "key ••••",
		"key " + strings.TrimPrefix(testSecret, "whsec_") + ", " + "other": "key ••••, other",
		`{"next":"my own secret"}`:                                         `{"next":"••••"}`,
		`{"env":"prod","product":"prod","productive":1}`:                   `{"env":"••••","product":"••••","productive":1}`,
		"prod":    "••••",
		`{"n":1}`: `{"n":1}`,
		"":        "",
	} {
		if _, got := hideEchoes(e, nil, []byte(body), false); string(got) != want {
			t.Errorf("%s\nis kept as %s\nwant       %s", body, got, want)
		}
	}
}

func TestEchoedHeadersAreHiddenAndOthersLeftAlone(t *testing.T) {
	e := &store.Endpoint{Secret: testSecret, Headers: []store.Header{{Name: "X-Token", Value: "abcdefgh12345678"}}}
	given := []store.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "X-You-Sent", Value: "abcdefgh12345678; " + testSecret}}
	before := slices.Clone(given)
	got, _ := hideEchoes(e, given, nil, false)
	want := []store.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "X-You-Sent", Value: "••••5678; ••••"}}
	if !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if !slices.Equal(given, before) {
		t.Errorf("what was given became %v", given)
	}
}

func TestASecretThatTheEndOfTheBodyCutsIsHiddenToo(t *testing.T) {
	e := &store.Endpoint{Secret: testSecret}
	body := "echo: " + testSecret
	for cut := len("echo: ") + longEnough; cut < len(body); cut++ {
		if _, got := hideEchoes(e, nil, []byte(body[:cut]), true); strings.Contains(string(got), "whsec_MD") || !strings.HasPrefix(string(got), "echo: ") {
			t.Fatalf("of %q is kept %q", body[:cut], got)
		}
	}
	if _, got := hideEchoes(e, nil, []byte("echo: whsec_MD"), false); string(got) != "echo: whsec_MD" {
		t.Errorf("a body that is whole became %q", got)
	}
}

func TestAnEndpointWithoutSecretsChangesNothing(t *testing.T) {
	body := []byte("prod")
	if _, got := hideEchoes(&store.Endpoint{}, nil, body, true); string(got) != "prod" {
		t.Errorf("kept %q", got)
	}
}
