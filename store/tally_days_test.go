package store_test

import (
	"reflect"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestAMonthIsChartedFromSummedDays(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		w := d.webhook("https://a.example/")
		for i := range 12 {
			d.publish("call.ended", `{}`)
			d.answer(200+300*(i%2), d.claim()...)
			d.clock.forward(time.Duration(3+17*(i%5)) * time.Hour) // some days have nothing
		}
		chart := func() store.Chart {
			d.ForgetPast()
			c, err := d.Chart(d.ctx, d.account, w.ID, store.LastMonth)
			must(t, err)
			return c
		}
		before := chart()
		for range 20 {
			must(t, d.Tidy(d.ctx))
		}
		if after := chart(); !reflect.DeepEqual(after, before) || before.OK < 6 {
			t.Errorf("from days %+v, from hours %+v", after, before)
		}
		var days, hours int
		raw := storetest.Raw(t, d.db)
		must(t, raw.QueryRow("SELECT count(*) FROM tallies WHERE span = 86400").Scan(&days))
		must(t, raw.QueryRow("SELECT count(*) FROM tallies WHERE span = 3600 AND start < (SELECT max(start) FROM tallies WHERE span = 86400)").Scan(&hours))
		if _, err := raw.Exec("DELETE FROM tallies WHERE span = 3600 AND start < (SELECT max(start) FROM tallies WHERE span = 86400)"); err != nil {
			t.Fatal(err)
		}
		if after := chart(); !reflect.DeepEqual(after, before) || days < 5 || hours < 5 {
			t.Errorf("%d rows of days, %d of hours: without those %+v, want %+v", days, hours, after, before)
		}
	})
}
