package store_test

import (
	"testing"

	"github.com/google/uuid"

	"belfry/store"
)

func TestAnIDIsFoundByItsFirstDigitsWithinTheAccount(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://one.example/hook")
		d.publishMany(5)
		event := d.publish("call.ended", `{}`)
		list, _, err := d.Deliveries(d.ctx, d.account, store.DeliveryFilter{Limit: 1})
		must(t, err)
		newest := list[0].ID
		for _, text := range []string{newest.String(), newest.String()[:13], " " + newest.String()[:8] + " "} {
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
