package views

import "github.com/a-h/templ"

// KeysView is the page of API keys.
type KeysView struct {
	MayEdit bool
	Fresh   *FreshKey
	Keys    []KeyLine
	Revoke  *DialogView // the question for one key, where the page was asked for with it
	Asked   string      // the name of that key
	Used    string      // when it was used last, in words
	Calls   string      // "1,000 per minute"
}

// FreshKey is a key that was just made: it is shown this once.
type FreshKey struct {
	Name, Key, Curl string
}

// KeyLine is a key as one row.
type KeyLine struct {
	ID, Name, Hint, By string
	Scopes             []string
	Created, Used      templ.Component
	Revoked            templ.Component // nil while it works
	RevokeHref         string          // empty for who may not
}

// KeyFormView is the form for a new key.
type KeyFormView struct {
	Token, Name string
	Scopes      map[string]bool
	Faults      FieldErrors
	Refusal     string
}

// scopeWords says what each scope lets a key do.
func scopeWords() []Option {
	return []Option{
		{Value: "publish", Label: "Publish events"},
		{Value: "read", Label: "Read webhooks, deliveries, events and limits; in the first account metrics too"},
		{Value: "manage", Label: "Everything: also add, change and delete webhooks, rotate secrets, test and resend"},
	}
}

// keyKind leaves the one filled button to what one most likely came for: to copy a fresh key.
func keyKind(v KeysView) string {
	if v.Fresh != nil {
		return ""
	}
	return "primary"
}
