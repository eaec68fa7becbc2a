package views

import (
	"context"
	"io"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"belfry/store"
)

// SecretPage shows a webhook's secret, which is possible once.
type SecretPage struct {
	Frame   Frame
	Webhook store.Webhook
	// Secret is empty where it can't be shown (again).
	Secret  string
	Rotated bool // it takes the place of another one
	// View must be in the addresses of the languages: it makes each of them
	// good for one look.
	View    string
	Snippet Snippet
	Choices []Snippet
}

// Snippet is a receiver that verifies, in one language.
type Snippet struct {
	Lang, Label, File, Run string
	// Code is the program. Quoted is the secret as it stands in it, to be marked.
	Code, Quoted string
}

func (p SecretPage) head() Head {
	h := Head{Title: "Copy the signing secret now", Sub: "It is shown this once. Belfry keeps it encrypted and can't show it again; if you lose it, rotate it."}
	switch {
	case p.Secret == "":
		h.Title, h.Sub = "This secret can't be shown again", "A secret is shown once, to whoever made it, within 10 minutes. Reloading the page, or coming back to it, does not bring it back."
	case p.Rotated:
		h.Title = "Copy the new signing secret now"
	default:
		h.Over = webhookAdded()
	}
	return webhookCrumbs(p.Webhook, "Secret", h)
}

func (p SecretPage) tabs() []Choice {
	choices := make([]Choice, len(p.Choices))
	for i, s := range p.Choices {
		href := WebhookAddress(p.Webhook.ID, "secret") + "?" + url.Values{"lang": {s.Lang}, "view": {p.View}}.Encode()
		choices[i] = Choice{Label: s.Label, Href: href, Current: s.Lang == p.Snippet.Lang}
	}
	return choices
}

// markedCode is code in which one word stands out.
func markedCode(code, marked string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		text, word := templ.EscapeString(code), templ.EscapeString(marked)
		_, err := io.WriteString(w, strings.ReplaceAll(text, word, "<mark>"+word+"</mark>"))
		return err
	})
}
