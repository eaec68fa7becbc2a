package store

import (
	"testing"

	"belfry/store/uuid"
)

func TestWhatWasAskedForLongestAgoIsForgotten(t *testing.T) {
	const minute, each = 60_000_000, 100
	var p past
	slots := make([]*slot, each)
	for i := range slots {
		slots[i] = &slot{start: int64(i+1) * minute}
	}
	ids := make([]uuid.UUID, 5*pastSlots/each)
	for i := range ids {
		ids[i] = newID()
		p.keep(pastKey{ids[i], minuteSpan}, minute, minute, (each+1)*minute, slotsRead{slots: slots})
	}
	kept := 0
	for _, half := range []map[pastKey]*remembered{p.young, p.old} {
		for _, r := range half {
			kept += len(r.slots)
		}
	}
	if kept < pastSlots || kept > 2*pastSlots+2*each {
		t.Errorf("%d slots are kept, want about %d", kept, 2*pastSlots)
	}
	if known, unknown, from := p.known([]uuid.UUID{ids[0], ids[len(ids)-1]}, minuteSpan, minute); len(known) != 1 || len(unknown) != 1 || unknown[0] != ids[0] || from != (each+1)*minute {
		t.Errorf("known %d, unknown %v, from %d: want the first forgotten and the last known", len(known), unknown, from)
	}
}
