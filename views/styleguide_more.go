package views

import (
	"strings"

	"github.com/a-h/templ"
)

func galleryMark() templ.Component {
	return with(Panel(PanelView{Title: "The mark"}), box("row", templ.Raw(`<span class="mark-large">`), Mark(), templ.Raw(`</span>`), brand(), Icon("webhook"), templ.Raw(`<span class="kbd">/</span>`)))
}

// gallerySwatches are the colours by the names that style sheets use.
func gallerySwatches() templ.Component {
	var swatches []templ.Component
	for _, group := range []string{"bg side muted-bg line line-2 ctl", "fg fg-2 fg-3 acc acc-soft on-acc", "ok ok-i ok-soft warn warn-i warn-soft", "bad bad-i bad-soft info info-i info-soft", "idle idle-i idle-soft"} {
		for _, name := range strings.Fields(group) {
			swatches = append(swatches, templ.Raw(`<li><svg aria-hidden="true"><rect width="100%" height="100%" fill="var(--`+name+`)"/></svg>`+name+`</li>`))
		}
	}
	return with(Panel(PanelView{Title: "Surfaces, text, states"}), templ.Raw(`<ul class="swatches">`), templ.Join(swatches...), templ.Raw(`</ul>`))
}

// galleryToasts is a page that was left some words.
func galleryToasts() templ.Component {
	frame := galleryFrame(EntryNone)
	frame.Toasts = []ToastView{
		{Text: "Paused hooks.harborcrm.example. 170 deliveries are held.", Undo: UndoView{Action: "/x", Name: "active", Value: "true", Word: "Undo"}},
		{Tone: "warn", Text: "hooks.example does not resolve right now.", Link: Link{"Look at it", "#"}},
	}
	return shownIn(frame, "toast", "Toasts", with(PageHead(Head{Title: "Toasts", Sub: "For what the page doesn't show itself. Six seconds, unless somebody is at them; warnings stay."})),
		with(Toast("Copied the address.")))
}

// galleryPalette is the palette's answer, as it stands in its box.
func galleryPalette() templ.Component {
	found := Found{Groups: []FoundGroup{
		{"Webhooks", []FoundItem{{Icon: "webhook", Label: "hooks.harborcrm.example/v2/calls", Detail: "Harbor CRM, call outcomes", Href: "#", Mono: true, State: HealthState("failing", "")}}},
		{"Pages", []FoundItem{{Icon: "scroll-text", Label: "Logs", Href: "#"}, {Icon: "search", Label: "Search the log for “harbor”", Href: "#"}}},
	}}
	list := templ.Join(templ.Raw(`<div class="palette-list" role="listbox" aria-label="Results">`), PaletteFound(found), templ.Raw(`</div>`))
	return shown("palette", EntryNone, "Palette", with(PageHead(Head{Title: "Palette", Sub: "Ctrl+K opens it anywhere; the question mark lists the shortcuts."})), with(Panel(PanelView{Flush: true}), list))
}
