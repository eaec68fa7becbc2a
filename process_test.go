package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
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
		r.signal(syscall.SIGTERM) // of a sender that tells the process and its group
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
	again, limit := time.NewTicker(sameSignal/10), time.After(soon)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			r.signal(syscall.SIGTERM)
			continue
		case <-limit:
			t.Fatal("it goes on after a second signal")
		case <-r.ended:
		}
		break
	}
	if r.code == 0 {
		t.Error("it exited with 0, as if it had finished what was under way")
	}
}

// signal sends a signal to the process; one that has ended gets none.
func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Fatal(err)
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
