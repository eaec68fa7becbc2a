package store

import (
	"maps"
	"testing"
	"time"

	"belfry/store/uuid"
)

func TestMinutesThatAreOverAreReadOnce(t *testing.T) {
	minute := time.Minute.Microseconds()
	var m minuteCounts
	kept := map[int64]int64{5 * minute: 7, 100 * minute: 3}
	var asked int64
	look := func(since int64) map[int64]int64 {
		counts, err := m.of(uuid.Nil, since, func(after int64) (map[int64]int64, error) {
			asked = after
			all := maps.Clone(kept)
			maps.DeleteFunc(all, func(start, _ int64) bool { return start <= after })
			return all, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	if first := look(0); !maps.Equal(first, kept) || asked != 0 {
		t.Errorf("first %v, asked after %d", first, asked)
	}
	kept[95*minute], kept[101*minute] = 2, 4
	if second := look(2 * minute); !maps.Equal(second, kept) || asked != 90*minute {
		t.Errorf("then %v, want %v; asked after minute %d, want 90", second, kept, asked/minute)
	}
	delete(kept, 5*minute)
	if third := look(50 * minute); !maps.Equal(third, kept) {
		t.Errorf("a day later %v, want %v", third, kept)
	}
}
