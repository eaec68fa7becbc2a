package views

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"
)

// TestAPageSaysThatTheServerDoesNotAnswerAndCatchesUp changes a filter while nothing is answered: the page says so and shows
// the filter that its rows are of; once the server answers again the rows are fetched anew.
func TestAPageSaysThatTheServerDoesNotAnswerAndCatchesUp(t *testing.T) {
	var gone atomic.Bool
	filters := with(Filters(FiltersView{Action: "/logs", Target: "#deliveries"}), Filter(FilterView{Name: "status", Label: "Status", Options: []Option{{"failed", "Failed", ""}}}))
	logs := with(Page(galleryFrame(EntryLogs), "Logs"), LiveNow("", true), filters, templ.Raw(`<div id="deliveries"><p>rows</p><span data-live data-what="deliveries"></span></div>`))
	mux := serving(t, map[string]templ.Component{"/logs": logs})
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(browser(t), 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(server.URL+"/logs")); err != nil {
		t.Fatal(err)
	}
	expectEmpty(t, ctx, "while all is well", lostWords(""))
	gone.Store(true)
	err := chromedp.Do(ctx,
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#deliveries p").textContent = "old"; const s = document.querySelector("select[name=status]"); s.value = "failed"; s.dispatchEvent(new Event("change", {bubbles: true})); true`),
		chromedp.WaitReady(chromedp.CSS("#lost")))
	if err != nil {
		t.Fatal(err)
	}
	expectEmpty(t, ctx, "what is said", lostWords("Not live, Connection lost, Connection lost. Trying again…"))
	expectEmpty(t, ctx, "the filter", `document.querySelector("select[name=status]").value`)
	gone.Store(false)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise(done => { const look = () => document.querySelector("#deliveries p").textContent === "rows" ? done(true) : requestAnimationFrame(look); look() })`, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal("the rows did not catch up:", err)
	}
	expectEmpty(t, ctx, "once it is back", lostWords(""))
}

// lostWords is empty where the page says that the connection is lost, by these words, or for no words that it is there.
func lostWords(want string) string {
	return `(() => {
		const words = selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility()).map(e => e.innerText.trim()).join();
		const got = document.getElementById("lost") ? [words(".live-now b"), words(".side-foot .live-line"), words("#lost")].join(", ") : "";
		const want = "` + want + `";
		return got.startsWith(want) && (want !== "" || words(".live-now b") === "Live") ? "" : "it says " + got + " " + words(".live-now b");
	})()`
}
