package store

import (
	"slices"
	"strings"
	"testing"
)

func TestHeadersAreReadAsTheyWereKept(t *testing.T) {
	list := []Header{{"X-Empty", ""}, {"Content-Type", "application/json"}, {"X", " a: b "}, {"X", "é, \t\"{[\""}}
	sum, request, err := unpackRequest(packRequest("sha256=1a", list))
	if err != nil || sum != "sha256=1a" || !slices.Equal(request, list) {
		t.Errorf("a request is %q, %q (%v)", sum, request, err)
	}
	if sum, request, err = unpackRequest(packRequest("", list[:1])); err != nil || sum != "" || !slices.Equal(request, list[:1]) {
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
	sum, request, err := unpackRequest(`{"h":[{"Name":"A","Value":"b"}],"s":"sha256=1a"}`)
	if err != nil || sum != "sha256=1a" || !slices.Equal(request, list) {
		t.Errorf("a request is %q, %q (%v)", sum, request, err)
	}
	if answer, err := unpackHeaders(`[{"Name":"A","Value":"b"}]`); err != nil || !slices.Equal(answer, list) {
		t.Errorf("an answer is %q (%v)", answer, err)
	}
}
