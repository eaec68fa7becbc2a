package store

import (
	"slices"
	"strings"
	"testing"

	"belfry/store/uuid"
)

func TestHeadersAreReadAsTheyWereKept(t *testing.T) {
	id := uuid.New()
	list := []Header{{"X-Empty", ""}, {"Content-Type", "application/json"}, {"X", " a: b "}, {"X", "é, \t\"{[\""}}
	sum, request, err := unpackRequest(id, packRequest(id, "sha256=1a", list))
	if err != nil || sum != "sha256=1a" || !slices.Equal(request, list) {
		t.Errorf("a request is %q, %q (%v)", sum, request, err)
	}
	if sum, request, err = unpackRequest(id, packRequest(id, "", list[:1])); err != nil || sum != "" || !slices.Equal(request, list[:1]) {
		t.Errorf("one without a signature is %q, %q (%v)", sum, request, err)
	}
	if answer, err := unpackHeaders(packHeaders(list)); err != nil || !slices.Equal(answer, list) {
		t.Errorf("an answer is %q (%v)", answer, err)
	}
	if answer, err := unpackHeaders(packHeaders(nil)); err != nil || len(answer) != 0 {
		t.Errorf("nothing is %q (%v)", answer, err)
	}
}

func TestWhatNoDatabaseKeepsInAHeaderIsReplaced(t *testing.T) {
	text := packHeaders([]Header{{"X", "a\nY: b\x00c\xff"}, {"Z", "d"}})
	if answer, err := unpackHeaders(text); err != nil || !slices.Equal(answer, []Header{{"X", "a\uFFFDY: b\uFFFDc\uFFFD"}, {"Z", "d"}}) || strings.ContainsRune(text, 0) {
		t.Errorf("%q (%v)", answer, err)
	}
}

func TestHeadersOfOlderDatabasesAreRead(t *testing.T) {
	list := []Header{{"A", "b"}}
	sum, request, err := unpackRequest(uuid.New(), `{"h":[{"Name":"A","Value":"b"}],"s":"sha256=1a"}`)
	if err != nil || sum != "sha256=1a" || !slices.Equal(request, list) {
		t.Errorf("a request is %q, %q (%v)", sum, request, err)
	}
	if answer, err := unpackHeaders(`[{"Name":"A","Value":"b"}]`); err != nil || !slices.Equal(answer, list) {
		t.Errorf("an answer is %q (%v)", answer, err)
	}
}

func TestWhatNearlyEveryRequestSaysIsKeptShort(t *testing.T) {
	id := uuid.MustParse("01a20859-489c-7590-84b8-55b113c0923b")
	sum := func(digit string) string { return "sha256=" + strings.Repeat(digit, 64) }
	usual := []Header{
		{"Content-Type", "application/json"},
		{"User-Agent", "Belfry/1.0"},
		{"Accept-Encoding", "identity"},
		{"X-Webhook-Event", "call.ended"},
		{"X-Webhook-Delivery", id.String()},
		{"X-Webhook-Attempt", "1"},
		{"X-Webhook-Signature", sum("b")},
		{"X-Webhook-Signature-Next", sum("c")},
		{"webhook-id", id.String()},
		{"webhook-timestamp", "1795436398"},
		{"webhook-signature", "v1,abc= v1,def="},
		{"X-Own", "d"},
	}
	text := packRequest(id, sum("a"), usual)
	// Databases hold this: it must be read for as long as they do.
	const kept = "=qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo\n(\n)Belfry/1.0\n,\n/call.ended\n:\n;1\n" +
		"<u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7s\n>zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw\n" +
		"?\n@1795436398\n[abc= v1,def=\nX-Own: d\n"
	if text != kept {
		t.Errorf("kept as\n%s\nwant\n%s", text, kept)
	}
	if got, request, err := unpackRequest(id, text); err != nil || got != sum("a") || !slices.Equal(request, usual) {
		t.Errorf("read as %q, %q (%v)", got, request, err)
	}
}

func TestWhatOnlyLooksUsualIsKeptAsItIs(t *testing.T) {
	id := uuid.New()
	for _, h := range []Header{
		{"Content-Type", "text/plain"},
		{"Content-Type", "application/json; charset=utf-8"},
		{"content-type", "application/json"},
		{"X-Webhook-Delivery", uuid.New().String()},
		{"webhook-id", ""},
		{"webhook-signature", "v2,abc"},
		{"X-Webhook-Signature", "sha256="},
		{"X-Webhook-Signature", "sha256=AB"},
		{"X-Webhook-Signature", "sha256=abc"},
		{"X-Webhook-Signature", "sha256=zz"},
		{"X-Webhook-Signature", "md5=ab"},
		{"User-Agent", ": ("},
	} {
		for _, sum := range []string{"", "sha256=", "sha256=AB", "odd"} {
			got, request, err := unpackRequest(id, packRequest(id, sum, []Header{h}))
			if err != nil || got != sum || !slices.Equal(request, []Header{h}) {
				t.Errorf("%q with the signature %q was read as %q, %q (%v)", h, sum, request, got, err)
			}
		}
	}
}

func TestRequestsFromBeforeLinesWereShortAreRead(t *testing.T) {
	list := []Header{{"Content-Type", "application/json"}, {"X-Webhook-Attempt", "1"}}
	sum, request, err := unpackRequest(uuid.New(), "sha256=1a\nContent-Type: application/json\nX-Webhook-Attempt: 1\n")
	if err != nil || sum != "sha256=1a" || !slices.Equal(request, list) {
		t.Errorf("%q, %q (%v)", sum, request, err)
	}
}
