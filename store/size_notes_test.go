package store_test

import (
	"strings"
	"testing"
	"time"

	"belfry/store"
	"belfry/store/storetest"
)

func TestTheGrowthOfTheDatabaseIsToldFromTheFirstMinuteOn(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		grown := func() store.LimitsUse {
			t.Helper()
			u, err := d.LimitsUse(d.ctx, d.account)
			must(t, err)
			return u
		}
		if u := grown(); !u.GrowthSince.IsZero() {
			t.Errorf("before anything was noted the growth is known since %v", u.GrowthSince)
		}
		began := d.clock.now()
		must(t, d.NoteSize(d.ctx))
		d.webhook("https://a.example/", "call.*")
		for range 20 {
			d.publish("call.ended", `{"transcript":"`+strings.Repeat("x", 20_000)+`"}`)
		}
		d.clock.forward(10 * time.Minute)
		must(t, d.NoteSize(d.ctx)) // the first of an hour counts
		if u := grown(); !u.GrowthSince.Equal(began.Truncate(time.Microsecond)) || d.db.Kind == storetest.KindSQLite && u.Growth < 20*20_000 {
			t.Errorf("it grew by %d since %v, want what 20 events take since %v", u.Growth, u.GrowthSince, began)
		}
		d.clock.forward(30 * time.Hour)
		if u := grown(); !u.GrowthSince.IsZero() {
			t.Errorf("two days later the growth is told since %v, of which nothing is known within a day", u.GrowthSince)
		}
		must(t, d.NoteSize(d.ctx))
		if u := grown(); !u.GrowthSince.Equal(d.clock.now().Truncate(time.Microsecond)) || u.Growth != 0 {
			t.Errorf("then it grew by %d since %v", u.Growth, u.GrowthSince)
		}
	})
}
