package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"belfry/store"
	"belfry/store/uuid"
)

func TestATypeNameIsSmallWordsJoinedByDots(t *testing.T) {
	for _, name := range []string{"a.b", "call.ended", "order.paid_late.v2", "1._", strings.Repeat("a", 98) + ".b"} {
		if err := store.CheckTypeName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "call", "call.", ".ended", "call..ended", "Call.ended", "call-ended", "call.ended ", "call.*", "call.ended\n", "ä.b", strings.Repeat("a", 99) + ".b"} {
		if store.CheckTypeName(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

func TestAListMatchesExactTypesAndGroupsAndBelfrysOwnOnlyWhereNamed(t *testing.T) {
	for _, test := range []struct {
		list, event string
		want        bool
	}{
		{"", "call.ended", true},
		{"", "order.paid", true},
		{"", "webhook.disabled", false},
		{"call.ended", "call.ended", true},
		{"call.ended", "call.ended_late", false},
		{"call.*", "call.ended", true},
		{"call.*", "call.a.b", true},
		{"call.*", "callback.ended", false},
		{"call.*", "webhook.disabled", false},
		{"agent.created call.*", "call.missed", true},
		{"webhook.*", "webhook.disabled", true},
		{"webhook.test", "webhook.test", true},
		{"webhook.test", "webhook.disabled", false},
		{"webhook.*", "call.ended", false},
	} {
		if got := store.Matches(strings.Fields(test.list), test.event); got != test.want {
			t.Errorf("[%s] matches %s: %v", test.list, test.event, got)
		}
	}
}

func TestTheNearestKnownTypeIsSuggested(t *testing.T) {
	var known []string
	for _, e := range store.BuiltinEventTypes() {
		known = append(known, e.Name)
	}
	for wrong, want := range map[string]string{
		"call.endet": "call.ended", "call.end": "call.ended", "Call.Ended": "call.ended", "call.sratted": "call.started",
		"message.recieved": "message.received", "agents.created": "agent.created", "calls.missed": "call.missed",
	} {
		if got := store.Suggest(wrong, known); got != want {
			t.Errorf("%s: %s, want %s", wrong, got, want)
		}
	}
	for _, unrelated := range []string{"order.paid", "banana", "x", "", "invoice.overdue"} {
		if got := store.Suggest(unrelated, known); got != "" {
			t.Errorf("%s: %s is suggested, which has nothing to do with it", unrelated, got)
		}
	}
	if got := store.Suggest("call.ended", nil); got != "" {
		t.Errorf("%q is suggested where nothing is known", got)
	}
}

func subscribe(s *store.Store, account uuid.UUID, url string, list ...string) (store.Webhook, error) {
	w, _, _, err := s.CreateWebhook(context.Background(), account, store.NewWebhook{URL: url, Events: list, Active: true})
	return w, err
}

func TestAWebhooksListHoldsKnownTypesOnceEach(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		_, err := subscribe(s, a.ID, "https://93.184.215.14/a", "order.paid", "call.endet", "call.*", "*", "orders.*")
		wantCode(t, err, store.CodeInvalid)
		for _, want := range []string{`"order.paid" is not a known event type; choose from`, `did you mean "call.ended"`, "leave the list empty", `"orders.*" is not a known group of event types; choose from`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %s", err, want)
			}
		}
		must(t, publish(t, s, a.ID, "order.paid"))
		w, err := subscribe(s, a.ID, "https://93.184.215.14/a", "order.paid", "call.*", "order.*", "order.paid")
		must(t, err)
		if !slices.Equal(w.Events, []string{"order.paid", "call.*", "order.*"}) {
			t.Errorf("list %v", w.Events)
		}
	})
}

func TestTheUseOfATypeNamesItsSubscribers(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		all, err := subscribe(s, a.ID, "https://93.184.215.14/all")
		must(t, err)
		calls, err := subscribe(s, a.ID, "https://93.184.215.14/calls", "call.*", "webhook.disabled")
		must(t, err)
		gone, err := subscribe(s, a.ID, "https://93.184.215.14/gone", "call.ended")
		must(t, err)
		must(t, s.DeleteWebhook(ctx, a.ID, gone.ID))
		use, err := s.EventTypeUse(ctx, a.ID)
		must(t, err)
		for name, want := range map[string][]uuid.UUID{
			"call.ended": {all.ID, calls.ID}, "agent.created": {all.ID}, "webhook.disabled": {calls.ID}, "webhook.test": nil,
		} {
			if got := use[name].Subscribers; !slices.Equal(got, want) {
				t.Errorf("%s has %v, want %v", name, got, want)
			}
		}
	})
}
