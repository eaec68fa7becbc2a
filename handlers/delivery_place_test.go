package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"belfry/store"
	"belfry/store/uuid"
)

func TestADeliveryLeadsToItsNeighboursWithinTheFilterOneCameFrom(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		s.addHook("https://one.example/hook")
		_, first := s.event("call.ended", `{}`)
		_, between := s.event("call.missed", `{}`)
		_, last := s.event("call.ended", `{}`)
		const filter = "?event=call.ended"
		link, _ := b.get(logsPath + filter).dom(t).Find("#d-" + first.String() + " a.main").Attr("href")
		if link != deliveryPath(first)+filter {
			t.Fatalf("the filtered log leads to %s", link)
		}
		leads(t, b.get(link).dom(t), deliveryPath(last)+filter, "")
		leads(t, b.get(deliveryPath(last)+filter).dom(t), "", deliveryPath(first)+filter)
		leads(t, b.get(deliveryPath(last)).dom(t), "", deliveryPath(between))
		doc := b.get(link).dom(t)
		if back, _ := doc.Find(".crumbs a").Attr("href"); back != logsPath+filter {
			t.Errorf("the way back is %s", back)
		}
		has(t, plain(doc, ".neighbours"), "This is the oldest of these filters")
		if a := b.get(deliveryPath(first) + "?webhook=nonsense"); a.StatusCode != http.StatusNotFound {
			t.Errorf("a webhook that is none gives %d", a.StatusCode)
		}
	})
}

func leads(t *testing.T, doc *goquery.Document, newer, older string) {
	t.Helper()
	for rel, want := range map[string]string{"prev": newer, "next": older} {
		if got, _ := doc.Find(".neighbours a[rel=" + rel + "]").Attr("href"); got != want {
			t.Errorf("%s leads to %q, want %q", rel, got, want)
		}
	}
}

func TestANeighbourThatIsFarOffIsLookedForInTheLog(t *testing.T) {
	place := deliveryPlace{id: uuid.New(), list: logFilter{Agent: "berlin"}}
	far := uuid.New()
	n := place.neighbour(store.Neighbour{Searched: far}, "before", "")
	if !n.Beyond || n.Href != logsPath+"?agent=berlin&before="+far.String() {
		t.Errorf("%+v", n)
	}
}

func TestTwoAttemptsStandSideBySideWithWhatDiffers(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{}`)
		s.answer(http.StatusOK)
		if _, err := s.store.Resend(t.Context(), s.account.ID, id); err != nil {
			t.Fatal(err)
		}
		s.answer(http.StatusServiceUnavailable)
		doc := b.get(deliveryPath(id) + "?attempt=2&with=1&status=pending").dom(t)
		has(t, plain(doc, "#difference thead"), "Attempt 1", "Attempt 2")
		has(t, plain(doc, "#difference"), "Outcome", "200 OK", "503 Service Unavailable", "the same in both")
		if strings.Contains(plain(doc, "#difference tbody"), "content-type") {
			t.Error("what is the same is listed")
		}
		if n := doc.Find("#exchange .segments [aria-current]").Length(); n != 3 {
			t.Errorf("%d choices are current, want the attempt beside and two ways to show a body", n)
		}
		href, _ := doc.Find(".attempt").First().Attr("href")
		if href != deliveryPath(id)+"?attempt=1&status=pending" {
			t.Errorf("the first attempt leads to %s", href)
		}
		if doc := b.get(deliveryPath(id) + "?with=7").dom(t); doc.Find("#difference").Length() != 0 {
			t.Error("an attempt that never was stands beside the last")
		}
	})
}

func TestBodiesThatDifferSayWhere(t *testing.T) {
	a := &store.Attempt{Number: 1, StatusCode: 500, ResponseBody: []byte(`{"error":"one"}`)}
	z := &store.Attempt{Number: 2, StatusCode: 500, ResponseBody: []byte(`{"error":"two"}`)}
	d := differenceOf(a, z)
	if len(d.Lines) != 1 || d.Lines[0].Name != "body, from byte 11" || !strings.HasSuffix(d.Lines[0].A, `one"}`) || !strings.HasSuffix(d.Lines[0].B, `two"}`) {
		t.Errorf("%+v", d.Lines)
	}
	a.ResponseBody, z.ResponseBody = []byte("\x00\x01"), []byte("\x00\x02")
	if d := differenceOf(a, z); d.Lines[0].A != "00 01" || d.Lines[0].B != "00 02" {
		t.Errorf("of bodies that are no text it says %+v", d.Lines)
	}
	z.BodiesRemoved = true
	if d := differenceOf(a, z); len(d.Lines) != 0 {
		t.Errorf("of a body that was removed it says %+v", d.Lines)
	}
}

func TestManyLongHeadersThatDifferAreComparedInShort(t *testing.T) {
	a, z := &store.Attempt{Number: 1, StatusCode: 500}, &store.Attempt{Number: 2, StatusCode: 500}
	for i := range differentHeaders + 10 {
		name, same := fmt.Sprintf("X-Noise-%02d", i), strings.Repeat("é", 500)
		a.Response = append(a.Response, store.Header{Name: name, Value: same + "one" + same})
		z.Response = append(z.Response, store.Header{Name: name, Value: same + "two" + same})
	}
	a.Response = append(a.Response, store.Header{Name: "Same", Value: "same"})
	z.Response = append(z.Response, store.Header{Name: "Same", Value: "same"})
	d := differenceOf(a, z)
	if len(d.Lines) != differentHeaders || d.More != 10 {
		t.Fatalf("%d lines, %d more", len(d.Lines), d.More)
	}
	for _, line := range d.Lines {
		if !strings.HasSuffix(line.Name, ", from character 1001") || !strings.HasPrefix(line.A, "ééééééééone") || !strings.HasPrefix(line.B, "éééééééétwo") || max(len(line.A), len(line.B)) > headerShown+len("…\uFFFD") {
			t.Fatalf("%+v", line)
		}
	}
	if same := differenceOf(a, a).Same; same != d.Same+differentHeaders+10 {
		t.Errorf("%d things are the same in one attempt, %d in both", same, d.Same)
	}
}

func TestARawBodyIsWhatWentOverTheWire(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.addHook("https://one.example/hook")
		_, id := s.event("call.ended", `{"big":12345678901234567890,"e":"\u00e9"}`)
		s.answer(http.StatusOK)
		attempts, err := s.store.Attempts(t.Context(), s.account.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		sent := string(attempts[0].RequestBody)
		doc := s.signedIn(store.RoleAdmin).get(deliveryPath(id) + "?body=raw").dom(t)
		if got := doc.Find("#request-body").Text(); got != sent {
			t.Errorf("shown %q, sent %q", got, sent)
		}
		pretty := s.signedIn(store.RoleViewer).get(deliveryPath(id)).dom(t).Find("#request-body").Text()
		has(t, pretty, "\n  \"data\": {\n    \"big\": 12345678901234567890,\n    \"e\": \"\\u00e9\"\n  }")
	})
}
