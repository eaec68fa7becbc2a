package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/store/uuid"
)

func TestTheCatalogueHoldsThe25TypesOfTheContract(t *testing.T) {
	want := strings.Fields(`call.started call.ringing call.answered call.ended call.missed call.failed call.transferred
		call.voicemail_left call.recording_ready call.transcript_ready agent.created agent.updated
		agent.status_changed agent.connected agent.disconnected message.received message.sent message.delivered
		message.failed conversation.created conversation.updated conversation.closed webhook.test
		webhook.disabled webhook.recovered`)
	var got []string
	for _, e := range store.BuiltinEventTypes() {
		got = append(got, e.Name)
		if e.Title == "" || e.Description == "" || strings.Contains(e.Description, "\n") || store.GroupTitle(e.Group) == e.Group {
			t.Errorf("%s lacks words: %q, %q, group %q", e.Name, e.Title, e.Description, e.Group)
		}
		if e.Source != store.SourceBuiltin || store.CheckTypeName(e.Name) != nil || !strings.HasPrefix(e.Name, e.Group+".") {
			t.Errorf("%s: source %s, group %s", e.Name, e.Source, e.Group)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("catalogue:\n%v\nwant\n%v", got, want)
	}
}

func TestEverySampleFitsItsSchema(t *testing.T) {
	for _, e := range store.BuiltinEventTypes() {
		var schema openapi3.Schema
		must(t, schema.UnmarshalJSON(e.Schema))
		var sample map[string]any
		must(t, json.Unmarshal(e.Sample, &sample))
		if err := schema.VisitJSON(sample); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		if err := schema.VisitJSON(map[string]any{}); err == nil {
			t.Errorf("%s: the schema takes anything", e.Name)
		}
		for name := range sample {
			if schema.Properties[name] == nil {
				t.Errorf("%s: the sample's %s is not in the schema", e.Name, name)
			}
		}
	}
}

func TestTheSamplesOfTheSeedsAreAsTheSeedsShowThem(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	for name, want := range map[string]string{
		"call.ended":       `{"call_id":"call_123456","agent_id":"support-berlin","caller_number":"+15550100","duration":127,"status":"completed","transcript":"Hello, how can I help?","recording_url":"https://rec.example/call_123456.mp3"}`,
		"message.received": `{"message_id":"msg_123456","conversation_id":"conv_123456","from_agent_id":"support-berlin"`,
	} {
		e, err := s.EventType(t.Context(), uuid.New(), name)
		must(t, err)
		if !strings.HasPrefix(string(e.Sample), want) {
			t.Errorf("%s: %s", name, e.Sample)
		}
	}
}

func addType(s *store.Store, account uuid.UUID, name string) error {
	_, err := s.AddEventType(context.Background(), account, store.EventType{Name: name})
	return err
}

func publish(t *testing.T, s *store.Store, account uuid.UUID, types ...string) error {
	t.Helper()
	var events []store.NewEvent
	for _, name := range types {
		events = append(events, store.NewEvent{Type: name, Data: []byte(`{}`)})
	}
	_, _, err := s.Publish(t.Context(), store.Publication{AccountID: account, Events: events})
	return err
}

func TestAnOwnTypeIsKeptAsGivenAndStandsInItsGroup(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		in := store.EventType{
			Name: "order.paid_late", Description: " Paid after it was due ",
			Schema: json.RawMessage(`{ "type": "object" }`), Sample: json.RawMessage(` {"n": 1.00, "u": "\u0000"} `),
		}
		e, err := s.AddEventType(ctx, a.ID, in)
		must(t, err)
		if e.Title != "Order paid late" || e.Group != "order" || e.Description != "Paid after it was due" || e.Source != store.SourceOwn ||
			string(e.Schema) != `{"type":"object"}` || string(e.Sample) != `{"n":1.00,"u":"\u0000"}` || e.CreatedAt.IsZero() {
			t.Errorf("kept %+v", e)
		}
		must(t, addType(s, a.ID, "call.zapped"))
		must(t, addType(s, a.ID, "acme.x"))
		types, err := s.EventTypes(ctx, a.ID)
		must(t, err)
		var names []string
		for _, e := range types {
			names = append(names, e.Name)
		}
		at := func(name string) int { return slices.Index(names, name) }
		if len(names) != 28 || at("call.transcript_ready")+1 != at("call.zapped") || at("call.zapped")+1 != at("message.received") || at("acme.x") != 26 || at("order.paid_late") != 27 {
			t.Errorf("order: %v", names)
		}
	})
}

func TestATypeIsAddedOnceAndNeverInPlaceOfABuiltInOne(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		must(t, addType(s, a.ID, "order.paid"))
		wantCode(t, addType(s, a.ID, "order.paid"), store.CodeConflict)
		wantCode(t, addType(s, a.ID, "call.ended"), store.CodeConflict)
		wantCode(t, addType(s, a.ID, "webhook.test"), store.CodeConflict)
		wantFields(t, addType(s, a.ID, "webhook.mine"), "name")
		other, err := s.AddAccount(ctx, "acme")
		must(t, err)
		_, err = s.EventType(ctx, other.ID, "order.paid")
		wantCode(t, err, store.CodeNotFound)
		must(t, addType(s, other.ID, "order.paid"))
	})
}

func TestAllFaultsOfANewTypeAreNamed(t *testing.T) {
	s := freshStore(t, storetest.SQLite(t))
	a := defaultAccount(t, s)
	_, err := s.AddEventType(t.Context(), a.ID, store.EventType{
		Name: "Order Paid", Description: strings.Repeat("x", 501), Schema: json.RawMessage(`[]`), Sample: json.RawMessage(`{"a":`),
	})
	wantFields(t, err, "name", "description", "sample", "schema")
	big := json.RawMessage(`{"a":"` + strings.Repeat("x", 256<<10) + `"}`)
	_, err = s.AddEventType(t.Context(), a.ID, store.EventType{Name: "a.b", Description: "\x00", Sample: big})
	wantFields(t, err, "description", "sample")
	_, err = s.AddEventType(t.Context(), a.ID, store.EventType{Name: "a.b", Schema: json.RawMessage(`null`), Sample: json.RawMessage("{\"a\":\"\xff\"}")})
	wantFields(t, err, "sample")
	for schema, right := range map[string]bool{
		`{"type":"objekt"}`: false, `{"properties":{"a":{"type":["string","nil"]}}}`: false, `{"properties":{"a":{"items":{"type":5}}}}`: false,
		`{"type":"object","properties":{"type":{"type":["integer","null"]},"b":{"items":{"type":"boolean"}},"c":true}}`: true,
	} {
		if _, err = s.AddEventType(t.Context(), a.ID, store.EventType{Name: "a.b", Schema: json.RawMessage(schema)}); right {
			must(t, err)
		} else {
			wantFields(t, err, "schema")
		}
	}
}

func TestPublishingAnUnknownTypeDiscoversItAndAddingMakesItOwn(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		must(t, publish(t, s, a.ID, "order.paid", "order.paid", "call.ended"))
		must(t, publish(t, s, a.ID, "order.paid"))
		e, err := s.EventType(ctx, a.ID, "order.paid")
		must(t, err)
		if e.Source != store.SourceDiscovered || e.Schema != nil || e.Sample != nil {
			t.Errorf("discovered %+v", e)
		}
		must(t, addType(s, a.ID, "order.paid"))
		if e, _ = s.EventType(ctx, a.ID, "order.paid"); e.Source != store.SourceOwn {
			t.Errorf("added %+v", e)
		}
		use, err := s.EventTypeUse(ctx, a.ID)
		must(t, err)
		if use["order.paid"].Count24h != 3 || use["call.ended"].Count24h != 1 || use["call.missed"].Count24h != 0 {
			t.Errorf("counts %+v", use)
		}
	})
}

func TestAnAccountHasNoMoreTypesThanItsLimit(t *testing.T) {
	onEach(t, func(t *testing.T, ctx context.Context, s *store.Store, a store.Account) {
		three := 3
		must(t, s.SetAccountLimits(ctx, a.ID, store.AccountLimits{EventTypes: &three}))
		errs := atOnce(6, func(i int) error { return addType(s, a.ID, fmt.Sprintf("order.n%d", i)) })
		if n := count(errs, isNil); n != 3 {
			t.Errorf("%d types were added: %v", n, errs)
		}
		wantFields(t, addType(s, a.ID, "order.more"), "name")
		wantCode(t, publish(t, s, a.ID, "call.ended", "order.other"), store.CodeInvalid)
		must(t, publish(t, s, a.ID, "call.ended"))
		types, err := s.EventTypes(ctx, a.ID)
		must(t, err)
		if len(types) != 28 {
			t.Errorf("%d types, want 25 and 3", len(types))
		}
	})
}
