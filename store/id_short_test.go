package store_test

import (
	"slices"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/uuid"
)

func TestTheBeginningOfAnIDFindsWhatItIsOf(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		event := d.publish("call.ended", `{"number":"4930123456"}`).String()
		d.publish("call.missed", `{}`)
		all, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{})
		must(t, err)
		other, err := d.AddAccount(d.ctx, "other")
		must(t, err)
		one := all[1].ID.String()
		for text, want := range map[string][]string{
			one[:8]: {all[0].ID.String(), one}, " " + one[:8] + "…" + one[32:] + " ": {one}, event[:8] + "…" + event[32:]: {one},
			one[:30]: {one}, event[:20]: {one}, one[:7]: nil, "4930123456": {one}, "ffffffff": nil, one[:8] + "…zzzz": nil, one[:8] + "-x": nil,
		} {
			found, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Text: text})
			must(t, err)
			var ids []string
			for _, x := range found {
				ids = append(ids, x.ID.String())
			}
			if !slices.Equal(ids, want) {
				t.Errorf("%q finds %v, want %v", text, ids, want)
			}
			if theirs, _, err := d.Deliveries(d.ctx, other.ID, store.DeliveryFilter{Text: text}); err != nil || len(theirs) != 0 {
				t.Errorf("another account finds %d by %q (%v)", len(theirs), text, err)
			}
		}
		for text, want := range map[string]int{event[:8]: 2, event[:8] + "…" + event[32:]: 1, event[:20]: 1, "4930123456": 1} {
			page, err := d.Events(d.ctx, d.account, store.EventFilter{Text: text})
			if must(t, err); len(page.List) != want {
				t.Errorf("%q finds %d events, want %d", text, len(page.List), want)
			}
			n, _, err := d.CountEvents(d.ctx, d.account, store.EventFilter{Text: text}, 10)
			if must(t, err); n != want && (n != -1 || text[:4] == event[:4]) {
				t.Errorf("%q counts %d events, want %d", text, n, want)
			}
		}
	})
}

func TestAnIDIsFoundByItsFirstDigitsWithinTheAccount(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://one.example/hook")
		d.publishMany(5)
		event := d.publish("call.ended", `{}`)
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Limit: 1})
		must(t, err)
		newest := list[0].ID
		for _, text := range []string{newest.String(), newest.String()[:8] + "…" + newest.String()[32:], " " + newest.String()[:8] + " "} {
			deliveries, _, err := d.FindByID(d.ctx, d.account, text, 3)
			must(t, err)
			if len(deliveries) == 0 || len(deliveries) > 3 || deliveries[0].ID != newest {
				t.Errorf("%q: found %v, want %v first", text, deliveries, newest)
			}
		}
		deliveries, events, err := d.FindByID(d.ctx, d.account, event.String(), 3)
		must(t, err)
		if len(deliveries) != 0 || len(events) != 1 || events[0].ID != event {
			t.Errorf("found %v and %v, want the event alone", deliveries, events)
		}
		for what, search := range map[string]struct {
			account uuid.UUID
			text    string
		}{"another account's": {uuid.New(), newest.String()}, "too few digits": {d.account, newest.String()[:7]}, "words": {d.account, "call ended"}} {
			deliveries, events, err := d.FindByID(d.ctx, search.account, search.text, 3)
			if must(t, err); len(deliveries)+len(events) > 0 {
				t.Errorf("%s: found %v and %v", what, deliveries, events)
			}
		}
	})
}

func TestAFailureIsFoundThoughTheDeliveryRecovered(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.publish("call.ended", `{}`)
		d.publish("call.missed", `{}`)
		jobs := d.claim()
		d.answer(503, jobs[0])
		d.answer(200, jobs[1])
		d.clock.forward(2 * time.Minute)
		d.answer(200, d.claim()...)
		for _, tt := range []struct {
			f    store.DeliveryFilter
			want int
		}{
			{store.DeliveryFilter{Error: "status"}, 1},
			{store.DeliveryFilter{WebhookID: w.ID, Error: "status", Code: 503}, 1},
			{store.DeliveryFilter{Code: 503}, 1},
			{store.DeliveryFilter{Code: 200}, 2},
			{store.DeliveryFilter{Error: "status", Code: 500}, 0},
			{store.DeliveryFilter{Error: "timeout"}, 0},
			{store.DeliveryFilter{Error: "status", Status: []store.Status{store.Pending, store.Failed}}, 0},
		} {
			found, _, err := d.Deliveries(d.ctx, d.account, tt.f)
			must(t, err)
			n, whole, err := d.CountMatching(d.ctx, d.account, tt.f, 10)
			if must(t, err); len(found) != tt.want || n != tt.want || !whole {
				t.Errorf("%+v: %d found, %d counted, want %d", tt.f, len(found), n, tt.want)
			}
		}
		if found, _, err := d.Deliveries(d.ctx, uuid.New(), store.DeliveryFilter{Error: "status"}); err != nil || len(found) > 0 {
			t.Errorf("another account finds %v (%v)", found, err)
		}
	})
}
