package views

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestTheScriptOnlyAddsToWhatIsThere tries what app.js does to the gallery's pages.
func TestTheScriptOnlyAddsToWhatIsThere(t *testing.T) {
	if testing.Short() {
		return
	}
	server, ctx := galleryServer(t), browser(t)
	cases := []struct{ name, page, do, holds string }{
		{"slash goes to the find box", "webhooks", `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`,
			`document.activeElement === document.querySelector("[data-find]")`},
		{"a served dialog is modal", "dialog", ``, `document.querySelector("dialog").matches(":modal")`},
		{"a group counts for all its types", "form", `document.querySelector("[data-group]").click()`,
			`document.querySelector("[data-chosen]").textContent === "3 of 3 chosen"`},
		{"some types make a group half chosen", "form", ``, `document.querySelector("[data-group]").indeterminate`},
		{"searching hides other types", "form", `{ const s = document.querySelector("[data-picker-search]"); s.value = "transcript"; s.dispatchEvent(new Event("input", {bubbles: true})) }`,
			`document.querySelectorAll(".picker-type").length === 3 && [...document.querySelectorAll(".picker li")].filter(e => e.checkVisibility()).length === 1`},
		{"a header row is added", "form", `document.querySelector("[data-add-row]").click()`,
			`[...document.querySelectorAll(".header-row")].filter(e => e.checkVisibility()).length === 2`},
		{"the first wrong field has the focus", "form", ``, `document.activeElement.id === "url"`},
		{"a menu closes on a click elsewhere", "parts", `document.querySelector("details.menu summary").click(); document.querySelector("h1").click()`,
			`!document.querySelector("details.menu").open`},
		{"a sent form's button is busy", "form", `{ const f = document.querySelector("form.form"); f.noValidate = true; document.addEventListener("submit", e => e.preventDefault());
			f.requestSubmit(f.querySelector("button.primary")) }`,
			`document.querySelector("form.form button.primary").getAttribute("aria-busy") === "true"`},
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
}
