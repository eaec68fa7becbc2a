package handlers

import (
	"net/url"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// filled reads a form as a browser without scripts would send it: where it goes
// and its fields.
func filled(t *testing.T, doc *goquery.Document, selector string) (action string, fields url.Values) {
	t.Helper()
	form := doc.Find(selector)
	if form.Length() != 1 {
		t.Fatalf("%d forms match %s on the page %q", form.Length(), selector, doc.Find("title").Text())
	}
	fields = url.Values{}
	form.Find("input, textarea").Each(func(_ int, field *goquery.Selection) {
		name, _ := field.Attr("name")
		value, _ := field.Attr("value")
		kind, _ := field.Attr("type")
		_, checked := field.Attr("checked")
		if name != "" && (kind != "radio" && kind != "checkbox" || checked) {
			fields.Add(name, value)
		}
	})
	action, _ = form.Attr("action")
	return action, fields
}

// set gives fields their values, by pairs.
func set(fields url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return fields
}

// leads fails the test unless the answer sends the browser there.
func (a answer) leads(t *testing.T, to string) {
	t.Helper()
	if got := a.Header.Get("Location"); a.StatusCode != 303 || got != to {
		t.Fatalf("the answer is %d to %q, want 303 to %q\n%.600s", a.StatusCode, got, to, a.body)
	}
}

// wants fails the test unless the answer has that status.
func (a answer) wants(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%.600s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}
