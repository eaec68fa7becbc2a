package views

import "strings"

// bodyShown is how much a page shows of a body, in bytes, until all of it is asked
// for: so much that the page stays small whatever was sent.
const bodyShown = 3 << 10

// bodyView is a body: pretty or raw, with the addresses of both, and where all of it
// is shown; empty: here.
type bodyView struct {
	id, text string
	raw      bool
	ways     []Choice
	all      string
	media    string // its content type; empty: none was said
}

// LongBody says that a page shows the beginning of such a body only.
func LongBody(text string) bool { return len(text) > bodyShown }

func (b bodyView) cut() bool { return b.all != "" && LongBody(b.text) }

// beginning is as much of the body as is shown at first.
func (b bodyView) beginning() string {
	text := b.readable()
	if !b.raw {
		text = PrettyJSON(text)
	}
	return strings.ToValidUTF8(text[:min(bodyShown, len(text))], "") + "…"
}

// headersView are the headers of a request or an answer, and where all of them are shown; empty: here.
type headersView struct {
	first string // the line above them
	lines []HeaderLine
	all   string
}

func (h headersView) size() (n int) {
	for _, line := range h.lines {
		n += len(line.Name) + len(line.Value)
	}
	return n
}

func (h headersView) cut() bool { return h.all != "" && h.size() > bodyShown }

// beginning are as many of the headers as are shown at first, the last of them
// perhaps in part.
func (h headersView) beginning() []HeaderLine {
	var lines []HeaderLine
	for i, left := 0, bodyShown; i < len(h.lines) && left > len(h.lines[i].Name); i++ {
		line := h.lines[i]
		left -= len(line.Name) + len(line.Value)
		if left < 0 {
			line.Value = strings.ToValidUTF8(line.Value[:len(line.Value)+left], "") + "…"
		}
		lines = append(lines, line)
	}
	return lines
}

func (e ExchangeView) body(id, text string) bodyView {
	return bodyView{id: id, text: text, raw: e.Raw, ways: e.Bodies, all: e.AllHref}
}

func (e ExchangeView) answered() bodyView {
	b := e.body("answer-body", e.AnswerBody)
	b.media = mediaOf(e.Answer)
	return b
}

func (v TrialAnswerView) answered() bodyView {
	return bodyView{id: "answer-body", text: v.Body, all: v.allHref(), media: mediaOf(v.Answer)}
}

func (v DeliveryView) carried() bodyView {
	return bodyView{id: "carried", text: v.Data, all: v.AllHref}
}
