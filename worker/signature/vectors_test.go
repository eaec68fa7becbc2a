package signature

import (
	"testing"
	"time"
)

const (
	generated  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	own        = "my own secret ~!"
	deliveryID = "0190d5c0-0000-7000-8000-000000000001"
	sentAt     = 1705314600
)

// vectors were computed with Python's hmac module, not with this package.
var vectors = []struct {
	secret, event, timestamp, data string
	member, header, standard       string
}{
	{
		generated, "call.ended", "2024-01-15T10:30:00Z", `{"call_id":"call_123456"}`,
		"sha256=a0444db4a9b68ebd0777b7b3bc7857057c71a0f3519d605cbf06e706e8200d2f",
		"sha256=3d980ccdcf5f21dd306835671d73db23271b6f3b6f66f6dba28d71c35c34e418",
		"v1,A5/9tr1mEYZlxo1/ABdL6cnRP6CTZINNV0/JSK+4Pe4=",
	},
	{
		generated, "message.received", "2024-01-15T10:30:00.123456Z",
		`{"text":"\u00e9 é","n":12345678901234567890.10,"signature":"sha256=00"}`,
		"sha256=42c22428ec26c3f7599586f3653ae3415fc658c8146071d039c07dc7a36fc310",
		"sha256=282c9234edc3bedd801ef06eb9dd7e23bcafef5515f0c8cd8832a8cc16cc2b74",
		"v1,XWdZiX4UznnS4kwGfmckUploR0nKoyeq15panWD/u64=",
	},
	{
		own, "call.ended", "2024-01-15T10:30:00Z", `{"call_id":"call_123456"}`,
		"sha256=10eacfa444dd3182c166509a551f06cc30d42a7e83873b6b914657f6afb397f9",
		"sha256=4b9650c6358e32436a0fdccdeb80cd5bf2c4b2d0111c683e34f39ba09dd036f3",
		"v1,Nk4KBU7q/YEnQoU/fizUMDNLnpnCnmLqwA/d9aah2ws=",
	},
	{
		own, "message.received", "2024-01-15T10:30:00.123456Z",
		`{"text":"\u00e9 é","n":12345678901234567890.10,"signature":"sha256=00"}`,
		"sha256=3315389e692baf3fef72ced81a3f06b4ec9f4038ae0e13e1dc5b114fe95d9e5b",
		"sha256=19471cca2912ccfb46a644b8178d40ccd73a1089474943a1f1d701714337113e",
		"v1,D3e4qHZwpkoRslszZUHr3PHqMPLfx8Mp1D+IzVwHGMY=",
	},
}

func TestSignaturesMatchTheFixedVectors(t *testing.T) {
	for _, v := range vectors {
		unsigned := `{"event":"` + v.event + `","timestamp":"` + v.timestamp + `","data":` + v.data + `}`
		want := unsigned[:len(unsigned)-1] + `,"signature":"` + v.member + `"}`
		body, sig := Body(v.event, v.timestamp, []byte(v.data), v.secret)
		if string(body) != want {
			t.Fatalf("body\n got %s\nwant %s", body, want)
		}
		if sig != v.member {
			t.Errorf("the body's signature is said to be %s, want %s", sig, v.member)
		}
		if got := Unsigned(v.event, v.timestamp, []byte(v.data)); string(got) != unsigned {
			t.Errorf("unsigned body\n got %s\nwant %s", got, unsigned)
		}
		if got := Hex(v.secret, body); got != v.header {
			t.Errorf("header signature %s, want %s", got, v.header)
		}
		if got, err := Standard(v.secret, deliveryID, sentAt, body); got != v.standard || err != nil {
			t.Errorf("standard signature %s, %v, want %s", got, err, v.standard)
		}
	}
}

func TestHeadersStandInOrderUnderTheChosenPrefix(t *testing.T) {
	v, next := vectors[0], vectors[2].secret
	body, _ := Body(v.event, v.timestamp, []byte(v.data), v.secret)
	attempt := Attempt{Prefix: "X-Rine", ID: deliveryID, Number: 3, At: time.Unix(sentAt, 999), Event: v.event, Body: body, Secret: v.secret, Next: next}
	nextStandard, err := Standard(next, deliveryID, sentAt, body)
	if err != nil {
		t.Fatal(err)
	}
	want := []Header{
		{"X-Rine-Event", "call.ended"},
		{"X-Rine-Delivery", deliveryID},
		{"X-Rine-Attempt", "3"},
		{"X-Rine-Signature", v.header},
		{"X-Rine-Signature-Next", Hex(next, body)},
		{"webhook-id", deliveryID},
		{"webhook-timestamp", "1705314600"},
		{"webhook-signature", v.standard + " " + nextStandard},
	}
	got, err := Headers(attempt)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d headers, %v, want %d", len(got), err, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("header %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestHeadersWithoutASecretCarryNoSignature(t *testing.T) {
	got, err := Headers(Attempt{ID: deliveryID, Number: 1, At: time.Unix(sentAt, 0), Event: "call.ended", Body: []byte(`{}`), Next: own})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"X-Webhook-Event", "X-Webhook-Delivery", "X-Webhook-Attempt", "webhook-id", "webhook-timestamp"}
	if len(got) != len(want) {
		t.Fatalf("headers %v, want %v", got, want)
	}
	for i := range want {
		if got[i].Name != want[i] {
			t.Errorf("header %d is %s, want %s", i, got[i].Name, want[i])
		}
	}
}

func TestHeadersRefuseASecretThatCannotSign(t *testing.T) {
	for _, a := range []Attempt{{Secret: "whsec_?"}, {Secret: own, Next: "whsec_?"}} {
		if _, err := Headers(a); err == nil {
			t.Errorf("secrets %q and %q were taken", a.Secret, a.Next)
		}
	}
}
