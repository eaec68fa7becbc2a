package signature

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestABodyCanBeRebuiltFromAKnownSignature(t *testing.T) {
	unsigned := Unsigned("call.ended", "2024-01-15T10:30:00Z", []byte(`{"a":1}`))
	before := string(unsigned)
	if WithSignature(unsigned, "") == nil || string(WithSignature(unsigned, "")) != before {
		t.Error("an empty signature changed the body")
	}
	rebuilt := WithSignature(unsigned, Hex(own, unsigned))
	if want, _ := Body("call.ended", "2024-01-15T10:30:00Z", []byte(`{"a":1}`), own); !bytes.Equal(rebuilt, want) {
		t.Errorf("rebuilt\n got %s\nwant %s", rebuilt, want)
	}
	if string(unsigned) != before {
		t.Errorf("the unsigned body became %s", unsigned)
	}
}

func TestTheBodyWithoutASecretHasNoMember(t *testing.T) {
	body, sig := Body("call.ended", "2024-01-15T10:30:00Z", []byte(`{"a":1}`), "")
	if want := `{"event":"call.ended","timestamp":"2024-01-15T10:30:00Z","data":{"a":1}}`; string(body) != want || sig != "" {
		t.Errorf("body %s with the signature %q, want %s with none", body, sig, want)
	}
}

func TestStrangeEventNamesStayInsideTheirString(t *testing.T) {
	for _, event := range []string{`a","data":{"x":1},"y":"`, "tab\t", `back\slash`, "é", "\xff", ""} {
		body, _ := Body(event, "t", nil, own)
		var got struct {
			Event string
			Data  any
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("event %q made %s: %v", event, body, err)
		}
		if got.Data != nil || (got.Event != event && event != "\xff") {
			t.Errorf("event %q came back as %q with data %v", event, got.Event, got.Data)
		}
		if err := VerifyBody(body, own); err != nil {
			t.Errorf("event %q: %v", event, err)
		}
	}
}

func FuzzVerifyBody(f *testing.F) {
	for _, v := range vectors {
		body, _ := Body(v.event, v.timestamp, []byte(v.data), v.secret)
		f.Add(body, []byte(v.data))
	}
	f.Add([]byte(`{"data":{"a":1,"signature":"sha256=00"}}`), []byte(`{}`))
	f.Add([]byte(`,"signature":`), []byte(`{"x":",\"signature\":"}`))
	f.Fuzz(func(t *testing.T, body, data []byte) {
		if err := VerifyBody(body, own); err == nil {
			unsigned, _, _ := SplitSignature(body)
			if !bytes.Equal(WithSignature(unsigned, Hex(own, unsigned)), body) {
				t.Fatalf("verified a body that signing does not make: %q", body)
			}
		}
		signed, _ := Body("call.ended", "2024-01-15T10:30:00Z", data, own)
		if err := VerifyBody(signed, own); err != nil {
			t.Fatalf("%q: %v", signed, err)
		}
		signed[len(body)%len(signed)] ^= 1
		if err := VerifyBody(signed, own); err == nil {
			t.Fatalf("verified a changed body: %q", signed)
		}
	})
}

func BenchmarkBodyAndHeaders(b *testing.B) {
	data := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 440)...), `"}`...)
	b.ReportAllocs()
	for b.Loop() {
		body, _ := Body("call.ended", "2024-01-15T10:30:00Z", data, generated)
		if _, err := Headers(Attempt{ID: deliveryID, Number: 1, Event: "call.ended", Body: body, Secret: generated}); err != nil {
			b.Fatal(err)
		}
	}
}
