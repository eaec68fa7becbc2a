package views

import (
	"strings"

	"github.com/a-h/templ"
)

// Link is a word that leads somewhere. Without Href it is plain text.
type Link struct {
	Label, Href string
}

// Rule is a short rule: a name and a sentence.
type Rule struct {
	Name, Text string
}

// Choice is one of several places or settings, shown as a tab or a segment.
type Choice struct {
	Label, Href string
	Count       string // beside the label, may be empty
	Current     bool
}

// Head is a page's own head.
type Head struct {
	Crumbs []Link          // where the page stands; empty on top-level pages; the last one is the page itself
	Over   templ.Component // between the way here and the title: what was just done; may be nil
	Title  string          // its name
	Mono   bool            // for ids, hosts and event types
	Beside templ.Component // after the title: a pill, a copy button; may be nil
	Sub    string          // one line below, in words
	Facts  templ.Component // or facts below: spans with an icon each; may be nil
}

// PanelView is a bordered box with a head of its own where Title isn't empty.
type PanelView struct {
	ID    string
	Title string
	Aside templ.Component // at the head's right, may be nil
	Flush bool            // no padding: for tables
}

// Number is one cell of a number strip.
type Number struct {
	Label string
	Value string
	Small string // beside the value: "212 held"
	Note  string // below it
	Href  string // what it counts; empty: not a link
	Icon  string // before the label, may be empty
	Tone  string // colour of the icon: ok, warn, bad, info, idle, ink
}

// Btn says how a button or a link that looks like one behaves.
type Btn struct {
	Kind     string // primary, outline (when empty), quiet, danger, danger-fill
	Icon     string
	Small    bool
	Wide     bool
	Href     string // a link where set
	Type     string // button's type: submit when empty
	Name     string
	Value    string
	Busy     string // word while its form is on the way: "Sending…"
	Disabled string // why it can't be used now; empty: it can
	Dialog   string // id of the dialog that it opens in place; Href leads to the same without scripts
	Attrs    templ.Attributes
}

func (b Btn) class() string {
	kind := b.Kind
	if kind == "" {
		kind = "outline"
	}
	out := "btn " + kind
	if b.Small {
		out += " small"
	}
	if b.Wide {
		out += " wide"
	}
	return out
}

func (b Btn) buttonType() string {
	if b.Type == "" {
		return "submit"
	}
	return b.Type
}

// Msg is one soft-coloured line across a page.
type Msg struct {
	Tone   string // ok, warn, bad, info, idle
	Icon   string // when empty, the tone's own
	Bold   string // what happened
	Text   string // what it means
	Action Link   // a small button at the end, where Label isn't empty
}

func (m Msg) icon() string {
	if m.Icon != "" {
		return m.Icon
	}
	switch m.Tone {
	case "ok":
		return "circle-check"
	case "bad", "warn":
		return "triangle-alert"
	default:
		return "info"
	}
}

// ToastView is a word about what the page doesn't show itself, left for the page that comes next.
type ToastView struct {
	Tone string // ok (when empty), warn, bad, info
	Text string
	Link Link
	Undo UndoView
}

// UndoView is a form of one button that takes back what was done.
type UndoView struct {
	Action, Name, Value, Word string
	In                        string // what htmx swaps with the same part of the answer: WebhooksPart; may be empty
}

// inPlace makes the form swap a part of the page alone.
func (u UndoView) inPlace() templ.Attributes {
	if u.In == "" {
		return nil
	}
	return inPlace(u.Action, u.In)
}

func (t ToastView) tone() string {
	if t.Tone == "" {
		return "ok"
	}
	return t.Tone
}

func (t ToastView) icon() string { return Msg{Tone: t.tone()}.icon() }

// DialogView is a question that must be answered before anything happens.
type DialogView struct {
	ID     string
	Title  string // the question, with the thing's name
	Open   bool   // the page was asked for with the dialog open (the way without scripts)
	Cancel string // where the safe choice leads without scripts
	Safe   string // word of the safe choice: "Keep it"
	Action string // where the form posts
	Verb   string // word of the button that does it
	Danger bool
	Token  string           // one-use token of the form, may be empty
	Attrs  templ.Attributes // of the form: hx-post and so on
}

func (d DialogView) kind() string {
	if d.Danger {
		return "danger-fill"
	}
	return "primary"
}

func (d DialogView) safe() string {
	if d.Safe == "" {
		return "Cancel"
	}
	return d.Safe
}

// SwitchView is a setting that is changed in place: a form with one button.
type SwitchView struct {
	Action   string
	Label    string // full sentence for screen readers: "Active: hooks.example/v2"
	Word     string // shown beside it, may be empty
	On       bool
	Disabled string // why it can't be changed; empty: it can
	Token    string
	ID       string           // of the button, so that the focus stays on it when the page around it is swapped
	Name     string           // sends the wanted state, "true" or "false", under this name
	Attrs    templ.Attributes // of the form: hx-post, hx-target …
}

func onOff(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// orNothing lets a component field be nil.
func orNothing(c templ.Component) templ.Component {
	if c == nil {
		return templ.NopComponent
	}
	return c
}

// switchType keeps a switch that can't be changed from sending its form.
func switchType(s SwitchView) string {
	if s.Disabled != "" {
		return "button"
	}
	return "submit"
}

func joined(words []string) string { return strings.Join(words, ", ") }
