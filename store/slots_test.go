package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

// told is all that the store tells from tallies, by what it is about.
func (d *desk) told(w store.Webhook) map[string]any {
	d.t.Helper()
	overviews, err := d.Overviews(d.ctx, d.account)
	must(d.t, err)
	standing, err := d.Standing(d.ctx, d.account)
	must(d.t, err)
	strip, err := d.Strip(d.ctx, d.account, overviews)
	must(d.t, err)
	limits, err := d.LimitsUse(d.ctx, d.account)
	must(d.t, err)
	all := map[string]any{"standing": standing, "strip": strip, "response times": [2]time.Duration{limits.ResponseP95, limits.ResponseMax}}
	for _, o := range overviews {
		all["health of "+o.URL], all["hours of "+o.URL] = o.Health, o.Hours
	}
	for _, r := range []store.Range{store.LastHour, store.LastDay, store.LastWeek, store.LastMonth} {
		all["chart of "+string(r)], err = d.Chart(d.ctx, d.account, w.ID, r)
		must(d.t, err)
	}
	return all
}

// same says what is not as wanted.
func same(t *testing.T, when string, got, want map[string]any) {
	t.Helper()
	for about, told := range want {
		if !reflect.DeepEqual(got[about], told) {
			t.Errorf("%s: %s\nis %+v\nwant %+v", when, about, got[about], told)
		}
	}
}

// answerBegun records an attempt that began a while ago.
func (d *desk) answerBegun(ago time.Duration, code int) {
	d.t.Helper()
	must(d.t, d.Beat(d.ctx)) // which heeds a clock that was set back
	d.publish("call.ended", `{}`)
	jobs := d.claim()
	if len(jobs) == 0 {
		d.t.Fatal("nothing was claimed")
	}
	results := make([]store.Result, len(jobs))
	for i, j := range jobs {
		results[i] = store.Result{Job: j, Next: store.Failed, Attempt: store.Attempt{
			Number: j.Attempt, Node: "n", StartedAt: store.At(d.clock.at.Add(-ago)), Duration: time.Duration(1+code%7) * 30 * time.Millisecond, StatusCode: code, Error: "status",
		}}
		if code == 200 {
			results[i].Next, results[i].Attempt.Error = store.Delivered, ""
		}
	}
	must(d.t, d.Record(d.ctx, results))
}

// When attempts are counted long after they began, and when the clock is set
// back, too.
func TestWhatIsRememberedIsWhatTheTalliesSay(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.webhook("https://b.example/", "call.missed")
		for i, step := range []struct {
			forward, ago time.Duration
			code         int
		}{
			{0, 0, 200},
			{30 * time.Second, 0, 500},
			{2 * time.Minute, 0, 200},
			{10 * time.Minute, time.Second, 404},
			{40 * time.Minute, 15 * time.Minute, 500},
			{time.Minute, 3 * time.Hour, 200},
			{0, 26 * time.Hour, 503},
			{5 * time.Hour, 0, 200},
			{40 * time.Minute, 0, 500},
			{-30 * time.Minute, 0, 500},
			{20 * time.Minute, 0, 200},
			{24 * time.Hour, 0, 429},
			{3 * 24 * time.Hour, 50 * time.Hour, 500},
			{time.Hour, 0, 200},
		} {
			d.clock.forward(step.forward)
			d.answerBegun(step.ago, step.code)
			remembered := d.told(w)
			remember := d.ForgetPast()
			same(t, fmt.Sprintf("after step %d", i), remembered, d.told(w))
			remember()
		}
	})
}

func TestTalliesThatAreOverAreReadOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		d.answerBegun(0, 500)
		d.clock.forward(70 * time.Minute)
		d.answerBegun(0, 200)
		d.clock.forward(10 * time.Minute)
		before := d.told(w)
		raw := storetest.Raw(t, d.db)
		// Those of the running hour are not over.
		_, err := raw.Exec("DELETE FROM tallies WHERE span = 60 OR span = 3600 AND start < (SELECT max(start) FROM tallies WHERE span = 3600)")
		must(t, err)
		delete(before, "chart of 30d") // days that are over are summed up instead
		same(t, "read again", d.told(w), before)
		if c := before["chart of 7d"].(store.Chart); c.OK != 1 || c.Failed != 1 {
			t.Errorf("%d of the week delivered and %d failed, want one each", c.OK, c.Failed)
		}
	})
}
