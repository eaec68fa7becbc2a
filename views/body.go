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
}

// LongBody says that a page shows the beginning of such a body only.
func LongBody(text string) bool { return len(text) > bodyShown }

func (b bodyView) cut() bool { return b.all != "" && LongBody(b.text) }

// beginning is as much of the body as is shown at first.
func (b bodyView) beginning() string {
	text := b.text
	if !b.raw {
		text = PrettyJSON(text)
	}
	return strings.ToValidUTF8(text[:min(bodyShown, len(text))], "") + "…"
}

func (e ExchangeView) body(id, text string) bodyView {
	return bodyView{id, text, e.Raw, e.Bodies, e.AllHref}
}

func (v DeliveryView) carried() bodyView {
	return bodyView{id: "carried", text: v.Data, all: v.AllHref}
}
