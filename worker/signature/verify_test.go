package signature

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// signed returns the headers and body of one attempt as a receiver sees them.
func signed(t *testing.T, at time.Time, secret, next string) (http.Header, []byte) {
	t.Helper()
	body, _ := Body("call.ended", "2024-01-15T10:30:00Z", []byte(`{"call_id":"call_123456"}`), secret)
	list, err := Headers(Attempt{ID: deliveryID, Number: 1, At: at, Event: "call.ended", Body: body, Secret: secret, Next: next})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for _, h := range list {
		header.Set(h.Name, h.Value)
	}
	return header, body
}

// reference returns the Standard Webhooks library's verifier of a secret.
func reference(t *testing.T, secret string) *standardwebhooks.Webhook {
	t.Helper()
	if secret == own {
		hook, err := standardwebhooks.NewWebhookRaw([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return hook
	}
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

func TestTheReferenceLibraryAgrees(t *testing.T) {
	for _, secret := range []string{generated, own, Generate()} {
		hook := reference(t, secret)
		now := time.Now()
		header, body := signed(t, now, secret, "")
		if err := hook.Verify(body, header); err != nil {
			t.Errorf("the library refuses what %q signed: %v", secret, err)
		}
		sig, err := hook.Sign(deliveryID, now, body)
		if err != nil {
			t.Fatal(err)
		}
		theirs := http.Header{}
		theirs.Set(HeaderID, deliveryID)
		theirs.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		theirs.Set(HeaderSignature, sig)
		if err := Verify(theirs, body, secret); err != nil {
			t.Errorf("what the library signed with %q is refused: %v", secret, err)
		}
	}
}

func TestDuringARotationEitherSecretVerifies(t *testing.T) {
	header, body := signed(t, time.Now(), own, generated)
	for _, secret := range []string{own, generated} {
		if err := Verify(header, body, secret); err != nil {
			t.Errorf("Verify with %q: %v", secret, err)
		}
		if err := reference(t, secret).Verify(body, header); err != nil {
			t.Errorf("reference library with %q: %v", secret, err)
		}
		if err := VerifyHex("", header, body, secret); err != nil {
			t.Errorf("VerifyHex with %q: %v", secret, err)
		}
	}
	if err := VerifyBody(body, generated, own); err != nil {
		t.Errorf("VerifyBody with both: %v", err)
	}
	if err := VerifyBody(body, generated); !errors.Is(err, ErrMismatch) {
		t.Errorf("the body member is signed with the new secret already: %v", err)
	}
}

func TestWhatWasTamperedWithDoesNotVerify(t *testing.T) {
	changes := map[string]func(http.Header, []byte) []byte{
		"body":      func(_ http.Header, b []byte) []byte { b[10] ^= 1; return b },
		"longer":    func(_ http.Header, b []byte) []byte { return append(b, ' ') },
		"id":        func(h http.Header, b []byte) []byte { h.Set(HeaderID, "other"); return b },
		"timestamp": func(h http.Header, b []byte) []byte { h.Set(HeaderTimestamp, "1705314601"); return b },
		"version": func(h http.Header, b []byte) []byte {
			h.Set(HeaderSignature, "v2"+h.Get(HeaderSignature)[2:])
			return b
		},
	}
	for name, change := range changes {
		header, body := signed(t, time.Unix(sentAt, 0), own, "")
		body = change(header, body)
		if err := VerifyAt(time.Unix(sentAt, 0), header, body, own); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s changed: %v, want ErrMismatch", name, err)
		}
		if name != "body" && name != "longer" {
			continue
		}
		if err := VerifyHex("", header, body, own); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s changed: VerifyHex says %v", name, err)
		}
		if err := VerifyBody(body, own); err == nil {
			t.Errorf("%s changed: VerifyBody took it", name)
		}
	}
}

func TestTheTimestampMustBeWithinFiveMinutes(t *testing.T) {
	header, body := signed(t, time.Unix(sentAt, 0), own, "")
	cases := map[time.Duration]error{
		0: nil, Tolerance: nil, -Tolerance: nil,
		Tolerance + time.Second: ErrTooOld, -Tolerance - time.Second: ErrTooNew,
	}
	for after, want := range cases {
		if err := VerifyAt(time.Unix(sentAt, 0).Add(after), header, body, own); !errors.Is(err, want) {
			t.Errorf("%v after signing: %v, want %v", after, err, want)
		}
	}
	header.Set(HeaderTimestamp, "soon")
	if err := Verify(header, body, own); !errors.Is(err, ErrTimestamp) {
		t.Errorf("timestamp \"soon\": %v", err)
	}
}

func TestUnsignedRequestsAreMissingASignature(t *testing.T) {
	header, body := signed(t, time.Now(), "", "")
	for name, err := range map[string]error{
		"Verify": Verify(header, body, own), "VerifyHex": VerifyHex("", header, body, own), "VerifyBody": VerifyBody(body, own),
	} {
		if !errors.Is(err, ErrMissing) {
			t.Errorf("%s says %v, want ErrMissing", name, err)
		}
	}
}

func TestAnEmptySecretVerifiesNothing(t *testing.T) {
	unsigned := Unsigned("call.ended", "t", []byte(`{}`))
	body := WithSignature(unsigned, Hex("", unsigned))
	header := http.Header{}
	header.Set("X-Webhook-Signature", Hex("", body))
	sig, err := Standard("", deliveryID, sentAt, body)
	if err != nil {
		t.Fatal(err)
	}
	header.Set(HeaderID, deliveryID)
	header.Set(HeaderTimestamp, strconv.Itoa(sentAt))
	header.Set(HeaderSignature, sig)
	for name, err := range map[string]error{
		"VerifyAt":  VerifyAt(time.Unix(sentAt, 0), header, body, ""),
		"VerifyHex": VerifyHex("", header, body, ""), "VerifyBody": VerifyBody(body, ""),
	} {
		if !errors.Is(err, ErrMismatch) {
			t.Errorf("%s with an empty secret says %v", name, err)
		}
	}
}

func TestTheHexHeaderIsReadUnderItsPrefix(t *testing.T) {
	body := []byte(`{}`)
	header := http.Header{}
	header.Set("X-Rine-Signature", Hex(own, body))
	if err := VerifyHex("X-Rine", header, body, "another secret", own); err != nil {
		t.Error(err)
	}
	if err := VerifyHex("", header, body, own); !errors.Is(err, ErrMissing) {
		t.Errorf("under another prefix: %v", err)
	}
}
