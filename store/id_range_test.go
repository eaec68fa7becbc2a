package store

import (
	"testing"

	"belfry/store/uuid"
)

func TestARangeOfIDsHasTheNarrowestBounds(t *testing.T) {
	id := func(last byte) uuid.UUID { return uuid.UUID{0: 1, 15: last} }
	var r idRange
	for _, last := range []byte{3, 9, 5} {
		r.begin(id(last))
		r.end(id(100 + last))
	}
	r.after(id(7), true)
	r.after(id(110), false)
	if want := (idRange{id(9), id(103)}); r != want {
		t.Errorf("%v, want %v", r, want)
	}
	up, down := idRange{}, idRange{}
	up.after(id(4), true)
	up.upTo(id(255), true)
	down.after(id(4), false)
	down.upTo(id(1), false)
	if up.from != id(5) || up.to != (uuid.UUID{0: 1, 14: 1}) || down.from != id(1) || down.to != id(4) {
		t.Errorf("upwards %v, downwards %v", up, down)
	}
}
