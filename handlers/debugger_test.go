package handlers

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/worker/signature"
)

const (
	debugSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	debugData   = `{"name":"Zoë","link":"https://x.example/a","n":1.0}`
)

var debugNow = time.Date(2026, 11, 21, 14, 30, 0, 0, time.UTC)

// genuine is a request as it arrives, for a case to spoil.
func genuine(t *testing.T) *received {
	t.Helper()
	body, _ := signature.Body("call.ended", "2026-11-21T14:30:00Z", []byte(debugData), debugSecret)
	headers, err := signature.Headers(signature.Attempt{ID: "one", Number: 1, At: debugNow, Event: "call.ended", Body: body, Secret: debugSecret})
	if err != nil {
		t.Fatal(err)
	}
	r := &received{Body: body, Header: http.Header{}, Secret: debugSecret, Prefix: "X-Webhook", Now: debugNow}
	for _, h := range headers {
		r.Header.Set(h.Name, h.Value)
	}
	return r
}

func TestTheDebuggerNamesThePartThatDiffers(t *testing.T) {
	indented := func(body []byte) []byte {
		var out bytes.Buffer
		_ = json.Indent(&out, body, "", "  ")
		return out.Bytes()
	}
	cases := []struct {
		name    string
		spoil   func(r *received)
		part    string // the check that says it
		want    string
		verdict string
	}{
		{"nothing", func(*received) {}, "webhook-signature", "fits", "Genuine."},
		{"wrong secret", func(r *received) { r.Secret = "whsec_AAAA" + debugSecret[10:] }, "webhook-signature", "does not fit", "Wrong secret"},
		{"secret with a line break", func(r *received) { r.Secret += "\n" }, "X-Webhook-Signature", "line break around it", "The secret was not pasted as it is."},
		{"secret in quotes", func(r *received) { r.Secret = `"` + r.Secret + `"` }, "webhook-signature", "quotation marks", "The secret was not pasted as it is. The secret was pasted with quotation marks"},
		{"secret without whsec_", func(r *received) { r.Secret = strings.TrimPrefix(r.Secret, "whsec_") }, "webhook-signature", "lacks whsec_", "The secret lacks whsec_"},
		{"secret cut", func(r *received) { r.Secret = r.Secret[:20] }, "Secret", "not base64", ""},
		{"no secret", func(r *received) { r.Secret = "" }, "Secret", "Paste the secret", ""},
		{"final line break", func(r *received) { r.Body = append(r.Body, '\n') }, "webhook-signature", "at its end", "The body was changed since it was signed. The body has a line break or space at its end or beginning that was not sent. Verify the raw bytes"},
		{"indented body", func(r *received) { r.Body = indented(r.Body) }, "X-Webhook-Signature", "other white space", "The body was changed since it was signed. The body was written anew with other white space, as parsing and serializing does. Verify the raw bytes"},
		{"indented body, as a body", func(r *received) { r.Body = indented(r.Body) }, "Body", "was changed", ""},
		{"escaped slashes", func(r *received) { r.Body = bytes.ReplaceAll(r.Body, []byte("/"), []byte(`\/`)) }, "signature in the body", "slashes", "its slashes are escaped now. Verify the raw bytes"},
		{"escaped letters", func(r *received) { r.Body = bytes.ReplaceAll(r.Body, []byte("ë"), []byte(`\u00eb`)) }, "webhook-signature", "are escaped", "that were not. Verify the raw bytes"},
		{"another value", func(r *received) { r.Body = bytes.Replace(r.Body, []byte("1.0"), []byte("1"), 1) }, "webhook-signature", "does not fit", "Wrong secret, most likely"},
		{"members in another order", func(r *received) {
			unsigned, sig, _ := signature.SplitSignature(r.Body)
			r.Body = []byte(`{"signature":"` + sig + `",` + string(unsigned[1:]))
		}, "webhook-signature", "another order", "another order than they were sent in. Verify the raw bytes"},
		{"a body that ends within its signature", func(r *received) { r.Body = r.Body[:len(r.Body)-62] }, "signature in the body", "there, but cut off", "body was changed"},
		{"a body that ends before its signature's value", func(r *received) { r.Body = r.Body[:len(r.Body)-73] }, "signature in the body", "there, but cut off", "body was changed"},
		{"a body with half a signature", func(r *received) { r.Body = append(r.Body[:len(r.Body)-62], `"}`...) }, "signature in the body", "there, but cut off", "body was changed"},
		{"a body without its signature", func(r *received) { r.Body, _, _ = signature.SplitSignature(r.Body) }, "signature in the body", "missing", ""},
		{"half a body", func(r *received) { r.Body = r.Body[:30] }, "Body", "was cut", "body was changed"},
		{"no id", func(r *received) { r.Header.Del("webhook-id") }, "webhook-signature", "can't be checked webhook-id is missing", "The secret is right. webhook-id is missing, so webhook-signature can't be checked. Paste all headers"},
		{"no timestamp", func(r *received) { r.Header.Del("webhook-timestamp") }, "webhook-signature", "can't be checked webhook-timestamp is missing", "The secret is right. webhook-timestamp is missing, so webhook-signature can't be checked. Paste all headers"},
		{"neither id nor timestamp", func(r *received) { r.Header.Del("webhook-id"); r.Header.Del("webhook-timestamp") }, "webhook-signature", "can't be checked", "webhook-id and webhook-timestamp are missing"},
		{"another timestamp", func(r *received) { r.Header.Set("webhook-timestamp", at(debugNow.Add(-time.Hour))) }, "webhook-signature", "The other signatures fit", "Secret and body are right. The other signatures fit, so webhook-timestamp is not the one that was signed. Take it as it came with this attempt"},
		{"another timestamp, as a timestamp", func(r *received) { r.Header.Set("webhook-timestamp", at(debugNow.Add(time.Minute))) }, "webhook-timestamp", "not what was signed", "Secret and body are right."},
		{"a date as timestamp", func(r *received) { r.Header.Set("webhook-timestamp", "2026-11-21") }, "webhook-timestamp", "not a time", "so webhook-timestamp is not the one that was signed"},
		{"another timestamp and no other header of the id", func(r *received) {
			r.Header.Del("X-Webhook-Delivery")
			r.Header.Set("webhook-timestamp", at(debugNow.Add(-time.Hour)))
		}, "webhook-signature", "does not fit", "webhook-id or webhook-timestamp is not the one that was signed. Take both"},
		{"another id", func(r *received) { r.Header.Set("webhook-id", "two") }, "webhook-signature", "signed as one, as X-Webhook-Delivery has it", "The webhook-id was changed since it was signed."},
		{"another id and a new timestamp", func(r *received) {
			r.Header.Set("webhook-id", "two")
			r.Header.Set("webhook-timestamp", at(debugNow.Add(time.Minute)))
		}, "webhook-signature", "does not fit", "webhook-id or webhook-timestamp is not the one that was signed"},
		{"another timestamp and a final line break", func(r *received) {
			r.Body = append(r.Body, '\n')
			r.Header.Set("webhook-timestamp", at(debugNow.Add(time.Minute)))
		}, "Body", "was changed", "Verify the raw bytes, before a framework parses them. The other signatures fit, so webhook-timestamp"},
		{"another signature of the body", func(r *received) { r.Header.Set("X-Webhook-Signature", "sha256="+strings.Repeat("0", 64)) }, "X-Webhook-Signature", "this one was changed on its way", "The secret is right."},
		{"the new secret of a rotation", func(r *received) {
			next := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
			headers, _ := signature.Headers(signature.Attempt{ID: "one", Number: 1, At: debugNow, Event: "call.ended", Body: r.Body, Secret: debugSecret, Next: next})
			for _, h := range headers {
				r.Header.Set(h.Name, h.Value)
			}
			r.Secret = next
		}, "signature in the body", "signed by the old secret", "Genuine."},
		{"milliseconds", func(r *received) { r.Header.Set("webhook-timestamp", at(debugNow)+"000") }, "webhook-timestamp", "milliseconds", "The webhook-timestamp was changed"},
		{"old", func(r *received) { r.Now = debugNow.Add(time.Hour) }, "webhook-timestamp", "more than 5 minutes ago", "Genuine, but old. This secret signed exactly this request. It was sent 1 h ago."},
		{"ahead", func(r *received) { r.Now = debugNow.Add(-time.Hour) }, "webhook-timestamp", "more than 5 minutes ahead", ""},
		{"hex where base64 belongs", func(r *received) {
			sum := readMAC(r.Header.Get("webhook-signature"), "v1,", false).sum
			r.Header.Set("webhook-signature", "v1,"+hex.EncodeToString(sum))
		}, "webhook-signature", "hex, not in base64", "The secret is right."},
		{"no v1,", func(r *received) {
			r.Header.Set("webhook-signature", strings.TrimPrefix(r.Header.Get("webhook-signature"), "v1,"))
		}, "webhook-signature", "does not begin with v1,", "The secret is right."},
		{"no sha256=", func(r *received) {
			r.Header.Set("X-Webhook-Signature", strings.TrimPrefix(r.Header.Get("X-Webhook-Signature"), "sha256="))
		}, "X-Webhook-Signature", "does not begin with sha256=", "The secret is right."},
		{"cut signature", func(r *received) { r.Header.Set("X-Webhook-Signature", "sha256=5d41") }, "X-Webhook-Signature", "cut or changed", "The secret is right."},
		{"old signature of a rotation", func(r *received) {
			r.Header.Set("webhook-signature", r.Header.Get("webhook-signature")+" v1,"+strings.Repeat("A", 43)+"=")
		}, "webhook-signature", "old secret of a rotation", "Genuine."},
		{"code that signs the body alone", func(r *received) { r.Computed = onlyBody(r) }, "What your code computed", "id and timestamp go before it", "The request is genuine, your code's value is not right. What your code computed would fit, but: It signs the body alone"},
		{"code with the key not decoded", func(r *received) {
			r.Computed = "v1," + base64.StdEncoding.EncodeToString(readMAC(signature.Hex(debugSecret, []byte("one."+r.Header.Get("webhook-timestamp")+"."+string(r.Body))), "sha256=", true).sum)
		}, "What your code computed", "must be decoded from base64 first", "The request is genuine, your code's value is not right."},
		{"code that writes hex", func(r *received) {
			r.Computed = hex.EncodeToString(readMAC(r.Header.Get("webhook-signature"), "v1,", false).sum)
		}, "What your code computed", "hex, not in base64", "The request is genuine, your code's value is not right. What your code computed would fit, but: It does not begin with v1,; it is written in hex, not in base64."},
		{"code that computes something else, of an old request", func(r *received) {
			r.Computed, r.Now = "v1,"+strings.Repeat("A", 43)+"=", debugNow.Add(time.Hour)
		}, "What your code computed", "does not fit", "It was sent 1 h ago."},
		{"escaped slashes, as a body", func(r *received) { r.Body = bytes.ReplaceAll(r.Body, []byte("/"), []byte(`\/`)) }, "Body", "was changed", ""},
		{"right code", func(r *received) { r.Computed = r.Header.Get("X-Webhook-Signature") }, "What your code computed", "what X-Webhook-Signature must be", "Genuine."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := genuine(t)
			c.spoil(r)
			checks, said := r.checks(), ""
			for _, check := range checks {
				if check.Name == c.part {
					said += check.Word + " " + check.Text
				}
			}
			if !strings.Contains(said, c.want) {
				t.Errorf("%s says %q, want %q", c.part, said, c.want)
			}
			if v := verdictOf(checks); !strings.Contains(v.Bold+" "+v.Text, c.verdict) {
				t.Errorf("the verdict is %q, want %q", v.Bold+" "+v.Text, c.verdict)
			}
		})
	}
}

func TestWhatIsPastedIntoTheDebuggerIsCheckedAndNotKept(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.signedIn(store.RoleAdmin)
		fields := fieldsOf(b.get(debuggerPath).dom(t), "#debugger-form form")
		r := genuine(t)
		fields.Set("body", string(r.Body))
		fields.Set("secret", debugSecret)
		fields.Set("headers", "Webhook-Id: one\r\nwebhook-timestamp: "+r.Header.Get("webhook-timestamp")+"\r\nwebhook-signature: "+r.Header.Get("webhook-signature")+"\r\nnonsense")
		for range 2 { // the same form again, after a change elsewhere
			doc := b.post(debuggerPath, fields).dom(t)
			has(t, plain(doc, "#checks"), "The secret is right.", "nonsense", "fits", "X-Webhook-Signature", "missing")
			if got := fieldsOf(doc, "#debugger-form form"); got.Get("body") != string(r.Body) || got.Get("secret") != debugSecret {
				t.Error("typed values are lost")
			}
		}
		fields.Set("body", strings.Repeat("x", debuggerBody+1))
		if a := b.post(debuggerPath, fields); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a large body: %d, want 422", a.StatusCode)
		}
		fields.Del("token")
		if a := b.post(debuggerPath, fields); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("without a token: %d, want 422", a.StatusCode)
		}
	})
}

// at is a moment as webhook-timestamp has it.
func at(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10)
}

// onlyBody is the signature of code that forgets id and timestamp.
func onlyBody(r *received) string {
	mac := hmac.New(sha256.New, keysOf(debugSecret, true)[0].Key)
	mac.Write(r.Body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
