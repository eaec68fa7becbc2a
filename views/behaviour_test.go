package views

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"belfry/static"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestTheScriptOnlyAddsToWhatIsThere tries what app.js does to the gallery's pages.
func TestTheScriptOnlyAddsToWhatIsThere(t *testing.T) {
	server, ctx := galleryServer(t), browser(t)
	cases := []struct{ name, page, do, holds string }{
		{
			"slash goes to the find box", "webhooks", `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`,
			`document.activeElement === document.querySelector("[data-find]")`,
		},
		{"a served dialog is modal", "dialog", ``, `document.querySelector("dialog").matches(":modal")`},
		{
			"a group counts for all its types", "form", `document.querySelector("[data-group]").click()`,
			`document.querySelector("[data-chosen]").textContent === "3 of 3 chosen, about 360 events a day"`,
		},
		{
			"the arrows walk the picker", "form", `document.querySelector(".picker summary").focus();` + press(".picker summary", "ArrowRight") + press(".picker summary", "ArrowDown"),
			`document.activeElement.value === "call.started"`,
		},
		{
			"what was typed and not saved is offered again", "form",
			`sessionStorage.setItem("belfry-draft:/x", JSON.stringify([["description", null, "Kept"]])); document.querySelector("form.form").dataset.draft = "/x"; document.querySelector("[data-draft-restore]").click()`,
			`document.querySelector("#description").value === "Kept" && (sessionStorage.clear(), true)`,
		},
		{
			"who signs out leaves nothing typed behind", "form",
			`sessionStorage.setItem("belfry-draft:/x", "[]"); document.addEventListener("submit", e => e.preventDefault()); document.querySelector("form[action='/logout']").requestSubmit()`,
			`sessionStorage.length === 0`,
		},
		{
			"a group's types are shown as covered", "form", `document.querySelector("[data-group]").click()`,
			`[...document.querySelector("[data-picker-group]").querySelectorAll("[data-type]")].every(type => type.checked && type.disabled)`,
		},
		{
			"what was ticked before a group was comes back", "form", `{ const g = document.querySelector("[data-group]"), own = () => [...g.closest("[data-picker-group]").querySelectorAll("[data-type]")].map(type => type.checked + " " + type.disabled).join();
			window.own = own; window.before = own(); g.click(); g.click() }`,
			`own() === before && before.includes("true false")`,
		},
		{
			"clearing leaves nothing ticked", "form", `document.querySelector("[data-group]").click(); document.querySelector("[data-picker-clear]").click()`,
			`document.querySelectorAll(".picker :checked, .picker :disabled").length === 0`,
		},
		{"some types make a group half chosen", "form", ``, `document.querySelector("[data-group]").indeterminate`},
		{
			"searching hides other types", "form", `{ const s = document.querySelector("[data-picker-search]"); s.value = "transcript"; s.dispatchEvent(new Event("input", {bubbles: true})) }`,
			`document.querySelectorAll(".picker-type").length === 3 && [...document.querySelectorAll(".picker li")].filter(e => e.checkVisibility()).length === 1`,
		},
		{
			"a header row is added", "form", `document.querySelector("[data-add-row]").click()`,
			`[...document.querySelectorAll(".header-row")].filter(e => e.checkVisibility()).length === 2`,
		},
		{
			"what was changed is no longer called wrong", "form", `{ const u = document.querySelector("#url"); u.value = "https://one.example"; u.dispatchEvent(new Event("change", {bubbles: true})) }`,
			`!document.querySelector("#url[aria-invalid]") && getComputedStyle(document.querySelector("#url-error")).visibility === "hidden" &&
			document.querySelector(".summary").innerText.startsWith("1 thing needs") && document.querySelectorAll(".summary li:not(.past)").length === 1`,
		},
		{"the list of what is wrong has the focus", "form", ``, `document.activeElement.matches(".summary")`},
		{"a question mark lists the shortcuts", "webhooks", press("body", "?"), `document.querySelector("#shortcuts").matches(":modal")`},
		{"shortcuts rest while somebody types", "webhooks", press("[data-find]", "?"), `!document.querySelector("#shortcuts").open`},
		{
			"shortcuts can be switched off", "webhooks", `document.querySelector("[data-keys-off]").click();` + press("body", "?"),
			`!document.querySelector("#shortcuts").open && (localStorage.clear(), true)`,
		},
		{
			"j and k walk the rows", "webhooks", press("body", "j") + press("body", "j") + press("body", "j") + press("body", "k"),
			`document.activeElement === document.querySelectorAll("tbody th a")[1]`,
		},
		{
			"j walks the lines that open", "webhooks",
			`document.querySelector("table").outerHTML = '<details class="type-line"><summary>a</summary></details><details class="type-line"><summary>b</summary></details>';` +
				press("body", "j") + press("body", "j"),
			`document.activeElement.textContent === "b"`,
		},
		{
			"older turns the page, also with AltGr, and not as a part of another command", "webhooks",
			`window.turned = 0; document.body.insertAdjacentHTML("beforeend", '<a rel="next" href="#"></a>'); document.querySelector("a[rel=next]").onclick = () => !++turned;
			for (const held of [{}, {ctrlKey: true, altKey: true}, {altKey: true}, {ctrlKey: true}, {metaKey: true}])
				document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "]", bubbles: true, ...held}))`,
			`turned === 3`,
		},
		{
			"a toast stays while somebody is at its button, and then goes", "toast",
			`window.toast = document.querySelector(".toast:has(button)"); window.setTimeout = f => f(); toast.querySelector("button").focus(); toast.dispatchEvent(new Event("pointerleave"))`,
			`toast.isConnected && (document.activeElement.blur(), toast.dispatchEvent(new Event("pointerleave")), !toast.isConnected)`,
		},
		{
			"what is told while a dialog is open is told in it", "webhooks",
			`document.querySelector("#shortcuts").showModal(); document.getElementById("toasts").insertAdjacentHTML("beforeend", '<div class="toast">Told</div>')`,
			`document.querySelector("#said").parentElement.id === "shortcuts"`,
		},
		{
			"a menu closes on a click elsewhere", "parts", `document.querySelector("details.menu summary").click(); document.querySelector("h1").click()`,
			`!document.querySelector("details.menu").open`,
		},
		{
			"a dialog opened from a menu gives the focus back to it", "webhooks",
			`{ const item = document.querySelector("details.menu a"); item.dataset.dialog = "shortcuts"; item.closest("details").open = true; item.focus(); item.click(); document.querySelector("#shortcuts").close() }`,
			`document.activeElement.matches("details.menu:not([open]) > summary")`,
		},
		{
			"what is swapped leaves the focus where it was", "webhooks", swapped("tbody th a", "table", `table.outerHTML = table.outerHTML`),
			`document.activeElement === document.querySelector("tbody th a")`,
		},
		{
			"what is gone leaves the focus to the page", "webhooks", swapped("tbody th a", "table", `table.remove()`),
			`document.activeElement.id === "content"`,
		},
		{
			"a sent form's button is busy", "form", `{ const f = document.querySelector("form.form"); f.noValidate = true; document.addEventListener("submit", e => e.preventDefault());
			f.requestSubmit(f.querySelector("button.primary")) }`,
			`document.querySelector("form.form button.primary").getAttribute("aria-busy") === "true"`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			script := c.do + `; true`
			err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(server.URL+"/"+c.page), chromedp.Evaluate[chromedp.Void](script))
			if err != nil {
				t.Fatal(err)
			}
			holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](c.holds))
			if err != nil || !holds {
				t.Errorf("%s does not hold (%v)", c.holds, err)
			}
		})
	}
	t.Run("filters come folded on a phone", func(t *testing.T) { filtersComeFolded(t, ctx, server.URL) })
}

// TestFiltersAskForWhatIsChosen changes one filter: htmx asks for the same address with the form's values, puts it into the
// browser's address, and swaps the target only.
func TestFiltersAskForWhatIsChosen(t *testing.T) {
	logs := with(Page(galleryFrame(EntryLogs), "Logs"), with(PageHead(Head{Title: "Logs"})),
		with(Filters(FiltersView{Action: "/filters", Target: "#rows"}), Filter(FilterView{Name: "status", Label: "Status", Options: []Option{{"failed", "Failed", ""}}}), Filter(FilterView{Name: "agent", Label: "Agent"})))
	asked := make(chan string, 4)
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler(nil))
	mux.HandleFunc("/filters", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		rows := templ.Raw(`<div id="rows" data-status="` + r.FormValue("status") + `">rows</div>`)
		html, err := render(r.Context(), templ.Join(logs, rows))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write([]byte(html))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(browser(t), 20*time.Second)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(server.URL+"/filters"),
		chromedp.SetValue(chromedp.CSS("select[name=status]"), "failed"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("select[name=status]").dispatchEvent(new Event("change", {bubbles: true})); true`),
		chromedp.WaitReady(chromedp.CSS(`#rows[data-status="failed"]`)))
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	if got := <-asked; got != "status=failed" {
		t.Errorf("asked for %q", got)
	}
	expectEmpty(t, ctx, "the address", `location.search === "?status=failed" ? "" : location.search`)
	expectEmpty(t, ctx, "rows", `document.querySelectorAll("#rows").length === 1 ? "" : "swapped more than once"`)
}

// filtersComeFolded looks at the filters as soon as the document has been read: they were never drawn open.
func filtersComeFolded(t *testing.T, ctx context.Context, url string) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	const look = `document.addEventListener("DOMContentLoaded", () => (window.openAtFirst = document.querySelector("details.filters").open))`
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: look}); err != nil {
		t.Fatal(err)
	}
	for width, want := range map[int64]bool{390: false, 1440: true} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url+"/webhooks")); err != nil {
			t.Fatal(err)
		}
		open, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("openAtFirst || document.querySelector('details.filters').open"))
		if err != nil || open != want {
			t.Errorf("%d wide the filters are open: %v (%v), want %v", width, open, err, want)
		}
	}
}

// press is a key that comes down on an element.
func press(selector, key string) string {
	return `document.querySelector("` + selector + `").dispatchEvent(new KeyboardEvent("keydown", {key: "` + key + `", bubbles: true, cancelable: true}));`
}

// swapped is a script that does with a part, by its tag, what a swap does while
// an element in it has the focus.
func swapped(holder, part, swap string) string {
	return `{ const ` + part + ` = document.querySelector("` + part + `"); document.querySelector("` + holder + `").focus();
		document.dispatchEvent(new Event("htmx:before:swap")); ` + swap + `; document.dispatchEvent(new Event("htmx:after:swap")) }`
}
