package store_test

import (
	"fmt"
	"testing"
	"time"

	"belfry/store/storetest"
)

func TestTheStripCountsWhatFailedInADayHoweverOldItIs(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		d.webhook("https://a.example/")
		now, err := d.Now(d.ctx)
		must(t, err)
		ids := idOf(now.Add(-20 * 24 * time.Hour).UnixMilli())
		for i, ago := range []time.Duration{time.Hour, 23 * time.Hour, 25 * time.Hour, 10 * 24 * time.Hour} {
			event := d.publish("call.ended", `{}`)
			_, err := storetest.Raw(t, d.db).Exec(fmt.Sprintf("UPDATE deliveries SET id = %s, status = 3, next_attempt_at = NULL, finished_at = %d WHERE event_id = %s",
				storetest.ID(d.db.Kind, fmt.Sprint(ids, i)), now.Add(-ago).UnixMicro(), d.sqlID(event)))
			must(t, err)
		}
		strip, err := d.Strip(d.ctx, d.account, nil)
		if must(t, err); strip.GivenUp != 2 {
			t.Errorf("%d failed in 24 hours, want 2 of 4 that were made 20 days ago", strip.GivenUp)
		}
	})
}

// idOf is an id made at a moment, in milliseconds, but for its last digit.
func idOf(at int64) string {
	return fmt.Sprintf("%08x-%04x-7000-8000-00000000000", at>>16, at&0xffff)
}
