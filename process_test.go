package main

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// serving gives the environment and the arguments of a server whose rate does
// not hold up a test.
func serving(t *testing.T, db storetest.Database) (environment map[string]string, key string) {
	t.Helper()
	environment = migrated(t, db)
	environment["BELFRY_ADDR"] = "127.0.0.1:0"
	environment["BELFRY_ALLOW_TARGETS"] = "127.0.0.0/8"
	environment["BELFRY_RATE_PER_MINUTE"] = "1000000"
	environment["BELFRY_API_RATE_PER_MINUTE"] = "1000000"
	return environment, strings.TrimSpace(must(t, environment, "", "key", "add", "-name", "test"))
}

func TestStoppingFinishesWhatIsUnderWayAndGivesBackTheRest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db storetest.Database) {
		environment, key := serving(t, db)
		to := newReceiver(t)
		r := spawn(t, environment, "serve")
		r.addWebhook(key, to.URL)
		to.holdBack()
		const published = 20
		for i := range published {
			r.publish(key, fmt.Sprint(i))
		}
		for range store.DefaultLimits().InFlight {
			take(t, to.arrived, r.log.String)
		}
		r.cancel()
		if _, ok := r.log.wait("stopping", r.ended); !ok {
			t.Fatalf("it did not say that it stops:\n%s", r.log)
		}
		to.letGo()
		if code := r.stop(); code != 0 {
			t.Errorf("exit code %d, want 0\n%s", code, r.log)
		}
		sum := onlySummary(t, db)
		answered := int64(len(to.answered))
		if sum.Total() != published || sum.Processing != 0 || sum.Delivered != answered || sum.Pending != published-answered {
			t.Errorf("%d of %d were answered, and the log has %+v\n%s", answered, published, sum, r.log)
		}
	})
}

// onlySummary counts the deliveries of the only webhook.
func onlySummary(t *testing.T, db storetest.Database) store.Summary {
	t.Helper()
	st := openTestStore(t, db)
	account, err := st.EnsureDefaultAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	webhooks, err := st.Webhooks(t.Context(), account.ID)
	if err != nil || len(webhooks) != 1 {
		t.Fatalf("webhooks: %v (%v), want one", webhooks, err)
	}
	sum, err := st.Summary(t.Context(), account.ID, webhooks[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestASecondSignalEndsTheProcessAtOnce(t *testing.T) {
	environment, key := serving(t, storetest.SQLite(t))
	to := newReceiver(t)
	r := spawn(t, environment, "serve")
	r.addWebhook(key, to.URL)
	to.holdBack()
	r.publish(key, "held")
	take(t, to.arrived, r.log.String)
	r.cancel()
	if _, ok := r.log.wait("stopping", r.ended); !ok {
		t.Fatalf("it did not say that it stops:\n%s", r.log)
	}
	began := time.Now()
	if err := r.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(soon):
		t.Fatal("it goes on after a second signal")
	}
	if took := time.Since(began); took > time.Second || r.code == 0 {
		t.Errorf("it took %v and exited with %d, want at once and no 0", took, r.code)
	}
}

func TestAStoppingServerTakesNoNewRequests(t *testing.T) {
	environment, key := serving(t, storetest.SQLite(t))
	to := newReceiver(t)
	r := boot(t, environment, "serve")
	r.addWebhook(key, to.URL)
	to.holdBack()
	r.publish(key, "held")
	take(t, to.arrived, r.log.String)
	r.cancel()
	until := time.Now().Add(soon)
	for {
		answer, err := http.Get(r.url + "/healthz")
		if err != nil {
			break
		}
		answer.Body.Close()
		if time.Now().After(until) {
			t.Fatal("it still answers")
		}
	}
	select {
	case <-r.ended:
		t.Error("it ended though a request was under way")
	default:
	}
	to.letGo()
	if code := r.stop(); code != 0 || len(to.answered) != 1 {
		t.Errorf("exit code %d and %d requests answered, want 0 and 1", code, len(to.answered))
	}
}
