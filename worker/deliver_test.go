package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
	"belfry/worker/signature"
)

func TestPublishedEventArrivesSignedAndIsLogged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := receives(t, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("X-Answer", "yes")
			_, _ = rw.Write([]byte("thanks"))
		})
		id := d.webhook(r.URL, func(n *store.NewWebhook) { n.Headers = []store.Header{{Name: "X-Env", Value: "topsecretprod"}} })
		w := d.work()
		d.publish(1)
		d.expect(id, store.Summary{Delivered: 1})

		got := r.requests()[0]
		if err := signature.Verify(got.header, got.body, testSecret); err != nil {
			t.Error(err)
		}
		if err := signature.VerifyHex("", got.header, got.body, testSecret); err != nil {
			t.Error(err)
		}
		if err := signature.VerifyBody(got.body, testSecret); err != nil {
			t.Error(err)
		}
		delivery := d.deliveries(store.DeliveryFilter{})[0]
		for name, want := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "Belfry/test", "X-Webhook-Event": "call.ended", "X-Webhook-Attempt": "1",
			"X-Webhook-Delivery": delivery.ID.String(), "Webhook-Id": delivery.ID.String(), "X-Env": "topsecretprod",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
			}
		}
		checkLog(t, d, delivery, got)
		if n, _ := w.slots.counts(); n != 0 {
			t.Errorf("%d slots are still taken", n)
		}
	})
}

func checkLog(t *testing.T, d *desk, delivery store.Delivery, got request) {
	t.Helper()
	attempts, err := d.store.Attempts(t.Context(), d.account, delivery.ID)
	d.must(err)
	if len(attempts) != 1 {
		t.Fatalf("%d attempts", len(attempts))
	}
	a := attempts[0]
	if !bytes.Equal(a.RequestBody, got.body) {
		t.Errorf("the logged body %s is not the one sent %s", a.RequestBody, got.body)
	}
	if string(a.ResponseBody) != "thanks" || a.StatusCode != 200 || a.Protocol != "HTTP/1.1" || a.RemoteAddress == "" || a.Duration <= 0 || a.Phases.FirstByte <= 0 {
		t.Errorf("logged %+v", a)
	}
	headers := map[string]string{}
	for _, h := range a.Request {
		headers[http.CanonicalHeaderKey(h.Name)] = h.Value
	}
	if headers["X-Env"] != store.Mask("topsecretprod") {
		t.Errorf("the custom header is logged as %q", headers["X-Env"])
	}
	for _, name := range []string{"Content-Type", "User-Agent", "X-Webhook-Signature", "Webhook-Signature", "Webhook-Timestamp"} {
		if headers[http.CanonicalHeaderKey(name)] != got.header.Get(name) {
			t.Errorf("%s is logged as %q, sent as %q", name, headers[http.CanonicalHeaderKey(name)], got.header.Get(name))
		}
	}
}

func TestRotationSignsWithBothSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 204)
		id := d.webhook(r.URL)
		next, _, err := d.store.RotateSecret(t.Context(), d.account, id, store.SecretChoice{}, time.Hour)
		d.must(err)
		d.work()
		d.publish(1)
		d.expect(id, store.Summary{Delivered: 1})
		got := r.requests()[0]
		for _, secret := range []string{testSecret, next} {
			if err := signature.Verify(got.header, got.body, secret); err != nil {
				t.Error(err)
			}
		}
		if err := signature.VerifyBody(got.body, testSecret); err != nil {
			t.Error("the old secret is primary until the overlap ends:", err)
		}
	})
}

func TestUnsignedWebhookGetsNoSignature(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t))
	r := answers(t, 200)
	id := d.webhook(r.URL, func(n *store.NewWebhook) { n.Secret = store.SecretChoice{None: true} })
	d.work()
	d.publish(1)
	d.expect(id, store.Summary{Delivered: 1})
	got := r.requests()[0]
	if bytes.Contains(got.body, []byte("signature")) || got.header.Get("webhook-signature") != "" || got.header.Get("X-Webhook-Signature") != "" {
		t.Errorf("signed all the same: %s %v", got.body, got.header)
	}
	if got.header.Get("webhook-id") == "" {
		t.Error("an unsigned request has its id too")
	}
}

func TestEachAttemptIsOneLogLineWithoutSecrets(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t))
	r := receives(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(500)
		_, _ = rw.Write([]byte("answerbody"))
	})
	id := d.webhook(r.URL, func(n *store.NewWebhook) { n.Headers = []store.Header{{Name: "X-Env", Value: "topsecretprod"}} })
	out := &lockedBuffer{}
	d.work(func(o *Options) { o.Log = slog.New(slog.NewJSONHandler(out, nil)) })
	d.publish(1)
	d.until("the attempt is recorded", func() bool { return d.deliveries(store.DeliveryFilter{})[0].Attempts == 1 })
	var line map[string]any
	for _, text := range strings.Split(out.String(), "\n") {
		if strings.Contains(text, "delivery attempted") {
			d.must(json.Unmarshal([]byte(text), &line))
		}
	}
	for name, want := range map[string]any{"webhook": id.String(), "event": "call.ended", "attempt": 1.0, "status_code": 500.0, "error": "status", "next": "pending", "account": d.account.String()} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	for _, secret := range []string{"topsecretprod", testSecret, "call_1", "answerbody"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestTestGoesToInactiveWebhookOnceAndCountsNowhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		d := newDesk(t, db)
		r := answers(t, 410)
		id := d.webhook(r.URL, func(n *store.NewWebhook) { n.Active = false })
		d.work()
		sent, err := d.store.SendTest(t.Context(), d.account, store.NewTest{WebhookID: id, Event: "call.ended"})
		d.must(err)
		d.until("the test is dead", func() bool {
			got, err := d.store.Delivery(t.Context(), d.account, sent.ID)
			d.must(err)
			return got.Status == store.Dead && got.Attempts == 1
		})
		if s := d.summary(id); s.Total() != 0 {
			t.Errorf("a test counts: %+v", s)
		}
		w, err := d.store.Webhook(t.Context(), d.account, id)
		d.must(err)
		if w.DisabledReason != store.ReasonManual {
			t.Errorf("the test's 410 changed the webhook's reason to %q", w.DisabledReason)
		}
		free, err := d.store.SendTest(t.Context(), d.account, store.NewTest{URL: r.URL, Secret: "free-secret", Event: "call.ended", Data: []byte(`{"a":1}`)})
		d.must(err)
		d.until("the free test is dead", func() bool {
			got, err := d.store.Delivery(t.Context(), d.account, free.ID)
			d.must(err)
			return got.Status == store.Dead
		})
		last := r.requests()[1]
		if err := signature.Verify(last.header, last.body, "free-secret"); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAnswerThatRepeatsTheRequestKeepsItsSecretsOutOfTheLog(t *testing.T) {
	d := newDesk(t, storetest.SQLite(t))
	const token = "token-0123456789"
	r := receives(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("X-Token"))
		fmt.Fprintf(w, `{"token":%q}`, r.Header.Get("X-Token"))
	})
	id := d.webhook(r.URL, func(w *store.NewWebhook) { w.Headers = []store.Header{{Name: "X-Token", Value: token}} })
	d.work()
	d.publish(1)
	d.expect(id, store.Summary{Delivered: 1})
	log, err := d.store.Attempts(t.Context(), d.account, d.only().ID)
	d.must(err)
	if said := fmt.Sprint(log[0].Response, string(log[0].ResponseBody)); strings.Contains(said, token) || !strings.Contains(said, "6789") {
		t.Errorf("the log has %s", said)
	}
}
