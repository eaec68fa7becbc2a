package store_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestLimitsTellTheSizesOfEvents(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for i := range 20 { // 8 bytes and up to 19 letters, and one much larger in between
			letters := i
			if i == 10 {
				letters = 500
			}
			d.publish("call.ended", fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", letters)))
		}
		use, err := d.LimitsUse(d.ctx, d.account)
		if must(t, err); use.EventP95 != 8+19 || use.EventMax != 8+500 {
			t.Errorf("19 of 20 events have %d bytes at most, the largest has %d, want %d and %d", use.EventP95, use.EventMax, 8+19, 8+500)
		}
	})
}
