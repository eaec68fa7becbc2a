package store

import "belfry/store/uuid"

// idRange is the ids from one on and before another; zero: no bound. A query has
// one bound of each side at most: of two SQLite walks an index by either, which
// may be the one that bounds least.
type idRange struct{ from, to uuid.UUID }

// begin leaves out what is before an id.
func (r *idRange) begin(id uuid.UUID) {
	if compareIDs(id, r.from) > 0 {
		r.from = id
	}
}

// end leaves out an id and what is beyond.
func (r *idRange) end(id uuid.UUID) {
	if r.to == uuid.Nil || compareIDs(id, r.to) < 0 {
		r.to = id
	}
}

// after leaves out an id and all that lies behind one who walks on from it,
// upwards or downwards.
func (r *idRange) after(id uuid.UUID, upwards bool) {
	if upwards {
		r.begin(afterID(id))
	} else {
		r.end(id)
	}
}

// upTo leaves out all that lies beyond an id for one who walks up to it.
func (r *idRange) upTo(id uuid.UUID, upwards bool) {
	if upwards {
		r.end(afterID(id))
	} else {
		r.begin(id)
	}
}

// afterID is the id that follows another.
func afterID(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
