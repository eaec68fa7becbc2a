package worker

import (
	"bytes"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"belfry/store"
)

// A value of a custom header that is at least longEnough bytes long is hidden
// wherever an answer repeats it. A shorter one is a word that may be there for
// other reasons: it is hidden where it stands by itself, and left alone below
// longEnoughAlone.
const (
	longEnough      = 8
	longEnoughAlone = 4
)

// hideEchoes takes out of an answer what the log must not hold: the webhook's
// secrets and the values of its custom headers, where the endpoint repeats the
// request that it got. They become their masks. truncated says that the body
// was cut, maybe in the middle of such a value. What is given is not changed.
func hideEchoes(e *store.Endpoint, headers []store.Header, body []byte, truncated bool) ([]store.Header, []byte) {
	secrets := secretsOf(e)
	if len(secrets) == 0 {
		return headers, body
	}
	copied := false
	for i, h := range headers {
		hidden := hide([]byte(h.Value), secrets, false)
		if string(hidden) == h.Value {
			continue
		}
		if !copied {
			headers, copied = slices.Clone(headers), true
		}
		headers[i].Value = string(hidden)
	}
	return headers, hide(body, secrets, truncated)
}

// secretText is what must not be repeated, and what stands in its place.
type secretText struct{ value, mask string }

// secretsOf lists what must not be repeated, the longest first, so that no part
// of one is hidden before the whole. Of a webhook's secret nothing is left to be
// seen, of a header's value as much as where it was sent.
func secretsOf(e *store.Endpoint) []secretText {
	var list []secretText
	add := func(value, mask string) {
		if len(value) >= longEnoughAlone {
			list = append(list, secretText{value, mask})
		}
	}
	for _, secret := range []string{e.Secret, e.Next} {
		add(secret, store.Mask(""))
		add(strings.TrimPrefix(secret, "whsec_"), store.Mask(""))
	}
	for _, h := range e.Headers {
		add(h.Value, store.Mask(h.Value))
		// Of "Bearer <token>" the token alone counts as well.
		if _, token, ok := strings.Cut(h.Value, " "); ok && len(token) >= longEnough {
			add(token, store.Mask(token))
		}
	}
	slices.SortStableFunc(list, func(a, b secretText) int { return len(b.value) - len(a.value) })
	return list
}

// hide puts masks in place of the secrets in a text.
func hide(text []byte, secrets []secretText, truncated bool) []byte {
	for _, secret := range secrets {
		if len(text) < len(secret.value) && !truncated {
			continue
		}
		for _, form := range spellings(secret.value) {
			text = hideForm(text, form, []byte(secret.mask), len(secret.value) >= longEnough, truncated)
		}
	}
	return text
}

func hideForm(text, form, mask []byte, anywhere, truncated bool) []byte {
	if !anywhere {
		return hideAlone(text, form, mask)
	}
	if bytes.Contains(text, form) {
		text = bytes.ReplaceAll(text, form, mask)
	}
	if truncated {
		text = hideCut(text, form)
	}
	return text
}

// spellings are the ways in which answers write a value: as it is, and escaped
// in JSON, in HTML and in URLs.
func spellings(value string) [][]byte {
	list := [][]byte{[]byte(value)}
	add := func(form []byte) {
		if !slices.ContainsFunc(list, func(known []byte) bool { return bytes.Equal(known, form) }) {
			list = append(list, form)
		}
	}
	if quoted, err := json.Marshal(value); err == nil {
		inner := quoted[1 : len(quoted)-1]
		add(inner)
		add(bytes.ReplaceAll(inner, []byte("/"), []byte(`\/`)))
	}
	add([]byte(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)))
	add([]byte(html.EscapeString(value)))
	add([]byte(url.QueryEscape(value)))
	add([]byte(url.PathEscape(value)))
	return list
}

// hideCut masks the beginning of a value at the end of a text that was cut.
func hideCut(text, form []byte) []byte {
	for n := min(len(form)-1, len(text)); n >= longEnough; n-- {
		if bytes.HasSuffix(text, form[:n]) {
			return append(slices.Clone(text[:len(text)-n]), store.Mask("")...)
		}
	}
	return text
}

// hideAlone masks a value where no letter or digit touches it.
func hideAlone(text, form, mask []byte) []byte {
	var out []byte
	from := 0
	for at := 0; ; {
		found := bytes.Index(text[at:], form)
		if found < 0 {
			break
		}
		start, end := at+found, at+found+len(form)
		at = start + 1
		before, _ := utf8.DecodeLastRune(text[:start])
		after, _ := utf8.DecodeRune(text[end:])
		if inWord(before) || inWord(after) {
			continue
		}
		out = append(append(out, text[from:start]...), mask...)
		from, at = end, end
	}
	if from == 0 {
		return text
	}
	return append(out, text[from:]...)
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
