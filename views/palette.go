package views

import "strings"

// Found is what the palette found, in groups.
type Found struct {
	Groups []FoundGroup
	None   bool // nothing but the way into the log
}

// FoundGroup is one kind of what was found.
type FoundGroup struct {
	Title string
	Items []FoundItem
}

// FoundItem is one place to jump to.
type FoundItem struct {
	Icon, Label, Detail, Href string
	Mono                      bool  // the label is an address or an id
	State                     State // shown at the right where it has a word
}

// numbered gives each item the number by which the box names it.
func (f Found) numbered() (at []int) {
	n := 0
	for _, g := range f.Groups {
		at = append(at, n)
		n += len(g.Items)
	}
	return at
}

func (f Found) count() int {
	n := 0
	for _, g := range f.Groups {
		n += len(g.Items)
	}
	return n
}

const nothingFound = "No webhook, id or page like this."

// words tell how much was found to who can't see it.
func (f Found) words() string {
	if f.None {
		return nothingFound
	}
	return Plural(f.count(), "result", "results")
}

// FindPages gives the pages whose names hold all the words; those that only who
// may edit can open are left out for others.
func FindPages(words []string, edits bool) []FoundItem {
	var found []FoundItem
	for _, p := range append(places(), morePlaces()...) {
		if p.edits && !edits || !HoldsAll(p.label+" "+p.also, words) {
			continue
		}
		found = append(found, FoundItem{Icon: p.icon, Label: p.label, Href: p.href})
	}
	return found
}

// HoldsAll says whether the text holds each of the words, whatever their case.
func HoldsAll(text string, words []string) bool {
	text = strings.ToLower(text)
	for _, word := range words {
		if !strings.Contains(text, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// morePlaces are pages without an entry in the sidebar.
func morePlaces() []place {
	return []place{
		{label: "Events", icon: "zap", href: "/setup/webhooks/events", key: "e", also: "published"},
		{label: "Add webhook", icon: "plus", href: "/setup/webhooks/new", edits: true, also: "new endpoint"},
		{label: "Add event type", icon: "plus", href: "/setup/webhooks/catalogue/new", edits: true, also: "new catalogue"},
		{label: "Add API key", icon: "plus", href: "/setup/api-keys/new", edits: true, also: "new create"},
		{label: "Failed deliveries", icon: "circle-x", href: "/setup/webhooks/logs?status=failed", also: "logs"},
		{label: "Resends", icon: "rotate-ccw", href: RunsAddress, also: "runs bulk again"},
		{label: "Resend failed deliveries", icon: "rotate-ccw", href: BulkAddress, edits: true, also: "bulk again"},
		{label: "Pending deliveries", icon: "clock", href: "/setup/webhooks/logs?status=pending", also: "logs waiting"},
	}
}

// shortcut is an entry of the list under "?": keys, and what they do.
type shortcut struct {
	Keys, Words string
	Href        string // goes there
	Does        string // or does this: see keys.js
}

func (s shortcut) parts() []string { return strings.Fields(s.Keys) }

type shortcutGroup struct {
	Title   string
	Entries []shortcut
}

func shortcuts() []shortcutGroup {
	goes := shortcutGroup{Title: "Go to"}
	for _, p := range append(places(), morePlaces()...) {
		if p.key != "" {
			goes.Entries = append(goes.Entries, shortcut{Keys: "g " + p.key, Words: p.label, Href: p.href})
		}
	}
	return []shortcutGroup{
		{"Everywhere", []shortcut{
			{Keys: "Ctrl+K", Words: "Jump to a webhook, an id or a page"},
			{Keys: "/", Words: "Find by id or text", Does: "find"},
			{Keys: "?", Words: "This list", Does: "list"},
			{Keys: "Esc", Words: "Close what is open"},
		}},
		{"In a list", []shortcut{
			{Keys: "j", Words: "Next row", Does: "down"},
			{Keys: "k", Words: "Row before", Does: "up"},
			{Keys: "Enter", Words: "Open the row"},
			{Keys: "[", Words: "Newer page or delivery", Does: "newer"},
			{Keys: "]", Words: "Older page or delivery", Does: "older"},
		}},
		goes,
	}
}

// pageRel tells browsers and shortcuts which way a page's link turns.
func pageRel(before bool) string {
	if before {
		return "prev"
	}
	return "next"
}
