package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/store"
	"belfry/views"
)

// exchange is the request and the answer of an attempt, with what must stay
// secret masked.
func (s *deliveryStory) exchange(a *store.Attempt) *views.ExchangeView {
	e := &views.ExchangeView{
		Attempt: "attempt " + strconv.Itoa(a.Number), RequestLine: "POST " + a.URL, RequestBody: maskBody(string(a.RequestBody)), Outcome: outcomeState(a),
		Answered: a.StatusCode != 0, Facts: sentFrom(a),
	}
	for _, header := range a.Request {
		e.Request = append(e.Request, headerLine(header))
	}
	if a.StatusCode != 0 {
		e.Outcome.Word = codeWords(a.StatusCode)
		e.AnswerLine = strings.TrimSpace(protocolWord(a.Protocol) + " " + strconv.Itoa(a.StatusCode))
		e.Answer = s.answerHeaders(a)
		e.AnswerBody = string(a.ResponseBody)
	}
	if a.Detail != "" && (a.StatusCode == 0 || a.Error != "status") {
		e.Problem = sentence(a.Detail)
	}
	if a.BodiesRemoved {
		e.BodyNote = "Bodies are kept for " + views.Duration(s.limits.RetentionBodies) + "; this one was removed."
	} else if len(a.Request) == 0 {
		e.BodyNote = "Nothing was written down of this request."
	}
	e.AnswerNote = s.answerNote(a)
	return e
}

func sentFrom(a *store.Attempt) string {
	text := "Sent"
	if a.Node != "" {
		text += " by node " + a.Node
	}
	if a.RemoteAddress != "" {
		text += " to " + a.RemoteAddress
	}
	if text == "Sent" {
		return ""
	}
	return text + "."
}

// protocolWord is a protocol as people write it: HTTP/2.
func protocolWord(protocol string) string { return strings.TrimSuffix(protocol, ".0") }

func (s *deliveryStory) answerHeaders(a *store.Attempt) []views.HeaderLine {
	lines := make([]views.HeaderLine, len(a.Response))
	for i, header := range a.Response {
		lines[i] = headerLine(header)
		if lines[i].Name == "retry-after" && askedWait(a) > 0 {
			lines[i].Note = s.honoured(a)
			lines[i].Marked = lines[i].Note != ""
		}
	}
	return lines
}

// honoured says what came of the wait that the endpoint asked for.
func (s *deliveryStory) honoured(a *store.Attempt) string {
	next := s.NextAttemptAt.Time
	for i := range s.attempts {
		if s.attempts[i].Number == a.Number+1 {
			next = s.attempts[i].StartedAt.Time
		}
	}
	if next.IsZero() {
		return ""
	}
	asked, wait := askedWait(a), next.Sub(a.StartedAt.Add(a.Duration))
	number := "attempt " + strconv.Itoa(a.Number+1)
	if wait+2*time.Second >= asked && asked >= s.scheduled(a.Number)*8/10 {
		return "honoured: " + number + " waits " + roughly(wait)
	}
	return "the schedule waits longer: " + number + " after " + roughly(wait)
}

func (s *deliveryStory) answerNote(a *store.Attempt) string {
	most := views.Bytes(int64(s.limits.AnswerBytes))
	size := views.Count(len(a.ResponseBody))
	switch {
	case a.StatusCode == 0:
		return ""
	case a.BodiesRemoved:
		return "Bodies are kept for " + views.Duration(s.limits.RetentionBodies) + "; this one was removed."
	case a.Truncated:
		return "The first " + size + " bytes are kept; the answer had more. Belfry reads no more than " + most + "."
	case len(a.ResponseBody) == 0:
		return "The answer had no body."
	}
	return size + " of " + size + " bytes kept. Belfry reads no more than " + most + "."
}

// headerLine is a header as pages show it.
func headerLine(h store.Header) views.HeaderLine {
	return views.HeaderLine{Name: strings.ToLower(h.Name), Value: maskHeader(h.Name, h.Value)}
}

// maskHeader hides the middle of signatures and cookies. Values of custom
// headers were masked before they were kept.
func maskHeader(name, value string) string {
	switch name = strings.ToLower(name); {
	case name == "set-cookie":
		return maskMiddle(value)
	case !strings.Contains(name, "signature"):
		return value
	}
	parts := strings.Fields(value)
	for i, part := range parts {
		parts[i] = maskMiddle(part)
	}
	return strings.Join(parts, " ")
}

// maskMiddle keeps a word's scheme, the first six characters after it and the
// last four: sha256=8c1f0b…e49a.
func maskMiddle(word string) string {
	start := 0
	if i := strings.IndexAny(word, "=,"); i >= 0 && i < 10 {
		start = i + 1
	}
	runes := []rune(word[start:])
	if len(runes) <= 10 {
		return word[:start] + "…"
	}
	return word[:start] + string(runes[:6]) + "…" + string(runes[len(runes)-4:])
}

// maskBody hides the middle of the signature inside a body.
func maskBody(body string) string {
	const member = `,"signature":"`
	start := strings.LastIndex(body, member)
	if start < 0 {
		return body
	}
	start += len(member)
	end := strings.IndexByte(body[start:], '"')
	if end < 0 {
		return body
	}
	return body[:start] + maskMiddle(body[start:start+end]) + body[start+end:]
}

// curlMasked says in a command that the endpoint will refuse it. It holds nothing
// that a shell without comments would trip over.
const curlMasked = "# Signatures and secret headers are cut here. Put in your own, or the endpoint refuses this.\n"

// curlOf is the attempt's request as a command, with the same things masked.
func curlOf(a *store.Attempt) views.CurlView {
	if len(a.Request) == 0 {
		return views.CurlView{}
	}
	body, masked := string(a.RequestBody), false
	var out strings.Builder
	out.WriteString("curl -X " + http.MethodPost + " " + shellWord(a.URL))
	for _, header := range a.Request {
		value := maskHeader(header.Name, header.Value)
		masked = masked || value != header.Value || store.IsMasked(value)
		out.WriteString(" \\\n  -H " + shellWord(header.Name+": "+value))
	}
	if body != "" {
		masked = masked || maskBody(body) != body
		out.WriteString(" \\\n  --data-raw " + shellWord(maskBody(body)))
	}
	if masked {
		return views.CurlView{Text: curlMasked + out.String(), Masked: true}
	}
	return views.CurlView{Text: out.String()}
}

// shellWord quotes text so that a shell takes it as one word, whatever is in it.
func shellWord(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
