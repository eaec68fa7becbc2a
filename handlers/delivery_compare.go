package handlers

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"belfry/store"
	"belfry/views"
)

// besideMost is how many attempts are offered to stand beside the chosen one.
const besideMost = 6

// besideChoices are the attempts that the chosen one can be compared with: those
// nearest to it, and none.
func (s *deliveryStory) besideChoices(place deliveryPlace, chosen int) []views.Choice {
	if len(s.attempts) < 2 {
		return nil
	}
	from := max(min(chosen-besideMost/2, len(s.attempts)-besideMost-1), 0)
	number, with := s.attempts[chosen].Number, s.numbered(place.with)
	choices := []views.Choice{{Label: "Nothing", Href: place.beside(number, 0).address(), Current: with < 0 || with == chosen}}
	for i := from; i < len(s.attempts) && len(choices) <= besideMost; i++ {
		if i != chosen {
			other := s.attempts[i].Number
			choices = append(choices, views.Choice{Label: "Attempt " + strconv.Itoa(other), Href: place.beside(number, other).address(), Current: i == with})
		}
	}
	return choices
}

// differenceOf says what differs between two attempts, the earlier one first,
// with what must stay secret masked.
func differenceOf(a, b *store.Attempt) *views.DifferenceView {
	d := &views.DifferenceView{A: "Attempt " + strconv.Itoa(a.Number), B: "Attempt " + strconv.Itoa(b.Number)}
	compare := func(part, name, left, right string) {
		if left == right {
			d.Same++
			return
		}
		d.Lines = append(d.Lines, views.DifferenceLine{Part: part, Name: name, A: left, B: right})
	}
	compare("Outcome", "answer", outcomeOf(a), outcomeOf(b))
	compare("Outcome", "time", views.Duration(a.Duration), views.Duration(b.Duration))
	compare("Outcome", "connection", connectionOf(a), connectionOf(b))
	compare("Request", "url", a.URL, b.URL)
	compare("Request", "sent to", a.RemoteAddress, b.RemoteAddress)
	compare("Request", "node", a.Node, b.Node)
	d.More += compareHeaders("Request", a.Request, b.Request, compare)
	compareBodies("Request", a, b, a.RequestBody, b.RequestBody, compare)
	if a.StatusCode != 0 && b.StatusCode != 0 {
		d.More += compareHeaders("Answer", a.Response, b.Response, compare)
		compareBodies("Answer", a, b, a.ResponseBody, b.ResponseBody, compare)
	}
	return d
}

func outcomeOf(a *store.Attempt) string {
	if a.StatusCode != 0 {
		return codeWords(a.StatusCode)
	}
	return outcomeWord(a.Error, a.StatusCode)
}

func connectionOf(a *store.Attempt) string {
	if a.Phases.Reused {
		return "re-used"
	}
	return "new"
}

// Endpoints send headers of any number and length: so many that differ stand
// beside each other, and so many bytes of a name or value.
const (
	differentHeaders = 20
	headerShown      = 100
)

// compareHeaders tells how many more differ than it names.
func compareHeaders(part string, a, b []store.Header, compare func(part, name, a, b string)) (more int) {
	left, right := headerValues(a), headerValues(b)
	names := maps.Clone(left)
	maps.Copy(names, right)
	different := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := left[name], right[name]
		if a != b {
			different++
		}
		if a != b && different > differentHeaders {
			more++
			continue
		}
		name = stretch(name, 0)
		if a != b && max(len(a), len(b)) > headerShown {
			at := parting(a, b)
			name, a, b = name+", from character "+strconv.Itoa(at+1), stretch(a, at-16), stretch(b, at-16)
		}
		compare(part, name, a, b)
	}
	return more
}

// parting is where two texts begin to differ.
func parting(a, b string) (at int) {
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at
}

// stretch is a part of a header, from a place on.
func stretch(text string, from int) string {
	from = min(max(from, 0), len(text))
	rest := text[from:]
	if len(rest) <= headerShown {
		return strings.ToValidUTF8(rest, "\uFFFD")
	}
	return strings.ToValidUTF8(rest[:headerShown], "\uFFFD") + "…"
}

// headerValues are the values by name in small letters, masked.
func headerValues(headers []store.Header) map[string]string {
	values := map[string]string{}
	for _, header := range headers {
		name, value := strings.ToLower(header.Name), maskHeader(header.Name, header.Value)
		if before, ok := values[name]; ok {
			value = before + ", " + value
		}
		values[name] = value
	}
	return values
}

// compareBodies says where two bodies part; of bodies that were removed nothing
// can be said.
func compareBodies(part string, a, b *store.Attempt, left, right []byte, compare func(part, name, a, b string)) {
	if a.BodiesRemoved || b.BodiesRemoved {
		return
	}
	if bytes.Equal(left, right) {
		compare(part, "body", "", "")
		return
	}
	at := parting(string(left), string(right))
	from := max(at-16, 0)
	compare(part, "body, from byte "+strconv.Itoa(at+1), excerpt(left, from), excerpt(right, from))
}

// excerpt is a short stretch of a body, with its signature masked.
func excerpt(body []byte, from int) string {
	const most = 120
	masked := []byte(maskBody(string(body)))
	from = min(from, len(masked))
	if rest := string(masked[from:]); views.IsBinary(string(body)) {
		return views.Hex(rest)
	}
	end := min(from+most, len(masked))
	text := strings.ToValidUTF8(string(masked[from:end]), "\uFFFD")
	switch {
	case len(body) == 0:
		return "no body"
	case end < len(masked):
		return text + "…"
	}
	return text
}
