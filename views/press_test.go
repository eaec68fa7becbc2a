package views

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"belfry/static"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// serving answers each address with its page, under the strict policy.
func serving(t *testing.T, pages map[string]templ.Component) *http.ServeMux {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler(nil))
	for address, page := range pages {
		mux.HandleFunc(address, func(w http.ResponseWriter, r *http.Request) {
			html, err := render(r.Context(), page)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = io.WriteString(w, html)
		})
	}
	return mux
}

// answered waits until the page has what it asked for at an address, and has been drawn three times since.
const answered = `new Promise(done => { const look = left => {
	const there = performance.getEntriesByType("resource").some(e => e.name.includes("check-url") && e.responseEnd > 0);
	left === 0 ? done(true) : requestAnimationFrame(() => look(there ? left - 1 : left));
}; look(3) })`

// TestAPressIsNotLostToAnAnswerThatComesMeanwhile types a good URL in place of a wrong one and presses the button below: the
// check on leaving the field is answered while the mouse is down, and takes away the fault above the button.
func TestAPressIsNotLostToAnAnswerThatComesMeanwhile(t *testing.T) {
	fine := []Tick{{Tone: "ok", Word: "Well formed"}}
	form := templ.Join(templ.Raw(`<form action="/saved">`), TextField(urlField("https://wrong.example", "This leads to a private address.", fine, "")), Button("Save", Btn{Kind: "primary"}), templ.Raw("</form>"))
	server := httptest.NewServer(serving(t, map[string]templ.Component{
		"/form": with(Bare("Form", ""), form), "/saved": with(Bare("Saved", ""), templ.Raw(`<p id="saved">Saved</p>`)),
		WebhooksAddress + "/check-url": URLChecks("https://right.example", "", fine),
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(browser(t), 20*time.Second)
	defer cancel()
	mouse := func(kind input.DispatchMouseEventType, at []float64) {
		t.Helper()
		p := input.DispatchMouseEventParams{Type: kind, X: at[0], Y: at[1], Button: input.MouseButtonLeft, ClickCount: 1}
		if _, err := chromedp.Call(ctx, input.DispatchMouseEvent, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(server.URL+"/form"), chromedp.Evaluate[chromedp.Void](`document.querySelector("#url").select()`)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: "https://right.example"}); err != nil {
		t.Fatal(err)
	}
	at, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(() => { const b = document.querySelector("button.primary").getBoundingClientRect(); return [b.left + b.width / 2, b.bottom - 3] })()`))
	if err != nil {
		t.Fatal(err)
	}
	mouse(input.DispatchMouseEventTypeMousePressed, at)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](answered, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	mouse(input.DispatchMouseEventTypeMouseReleased, at)
	if err := chromedp.Do(ctx, chromedp.WaitReady(chromedp.CSS("#saved"))); err != nil {
		t.Fatalf("the form was not sent: %v", err)
	}
}
