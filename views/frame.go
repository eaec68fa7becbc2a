// Package views holds what Belfry looks like: pages, and the parts that pages are made of. Parts take plain values; nothing
// here reads a database or a request.
package views

import (
	"context"
	"strings"
	"time"
)

// Entry is a place in the sidebar.
type Entry string

// The sidebar's places, in its order. EntryNone marks none as current.
const (
	EntryNone      Entry = ""
	EntryWebhooks  Entry = "webhooks"
	EntryLogs      Entry = "logs"
	EntryTest      Entry = "test"
	EntryInbox     Entry = "inbox"
	EntryCatalogue Entry = "catalogue"
	EntryLimits    Entry = "limits"
	EntryKeys      Entry = "keys"
)

// Frame is what stands around every page of a signed-in user.
type Frame struct {
	Account       string // the account's name
	User          string // e-mail address of who is signed in
	Role          string // owner, admin or viewer
	Current       Entry
	Trouble       int // webhooks in trouble; 0 shows no number
	RatePerMinute int // the account's outgoing requests per minute
	Idle          bool
	DatabaseDown  bool
	DatabaseFull  bool   // its budget is used up: new events are refused
	Find          string // what stands in the find box
	Toasts        []ToastView
}

type place struct {
	entry             Entry
	label, icon, href string
	key               string // what goes there after "g"
	also              string // words that find it beside its name
	edits             bool   // only for who may edit
}

func places() []place {
	return []place{
		{entry: EntryWebhooks, label: "Webhooks", icon: "webhook", href: "/setup/webhooks", key: "w"},
		{entry: EntryLogs, label: "Logs", icon: "scroll-text", href: "/setup/webhooks/logs", key: "l"},
		{entry: EntryTest, label: "Send test", icon: "send", href: "/setup/webhooks/test", key: "t"},
		{entry: EntryInbox, label: "Test inbox", icon: "inbox", href: "/setup/webhooks/inbox", key: "i"},
		{entry: EntryCatalogue, label: "Event catalogue", icon: "book-open", href: "/setup/webhooks/catalogue", key: "c"},
		{entry: EntryLimits, label: "Limits", icon: "gauge", href: "/setup/webhooks/limits", key: "m"},
		{entry: EntryKeys, label: "API keys", icon: "key-round", href: "/setup/api-keys", key: "k"},
	}
}

// placeName is the word for the phone's bar.
func (f Frame) placeName() string {
	for _, p := range places() {
		if p.entry == f.Current {
			return p.label
		}
	}
	return "Belfry"
}

// browserTitle is the page's name in the browser's tabs, with the number of
// webhooks in trouble before it.
func (f Frame) browserTitle(title string) string {
	if f.Trouble == 0 {
		return title
	}
	return "(" + Count(f.Trouble) + ") " + title
}

// favicon is the mark; where a webhook is in trouble it carries a dot.
func (f Frame) favicon() string {
	if f.Trouble > 0 {
		return "favicon-trouble.svg"
	}
	return "favicon.svg"
}

// initial is the account's letter in its little square.
func (f Frame) initial() string { return firstLetter(f.Account) }

// live is the sentence at the sidebar's foot and the class of its dot.
func (f Frame) live() (sentence, dot string) {
	switch {
	case f.DatabaseDown:
		return "Database does not answer", "down"
	case f.DatabaseFull:
		return "Database full, new events are refused", "down"
	case f.Idle:
		return "Ready, nothing to deliver", ""
	default:
		return "Delivers up to " + Count(f.RatePerMinute) + "/min", ""
	}
}

func firstLetter(s string) string {
	for _, r := range s {
		return strings.ToUpper(string(r))
	}
	return "?"
}

// sentence gives a word its capital: "owner" becomes "Owner".
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

type nowKey struct{}

// WithNow fixes the moment that relative times on a page are counted from. Without it they count from the clock.
func WithNow(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, nowKey{}, now)
}

// Now is the moment that relative times are counted from, in UTC.
func Now(ctx context.Context) time.Time {
	if now, ok := ctx.Value(nowKey{}).(time.Time); ok {
		return now.UTC()
	}
	return time.Now().UTC()
}
