package web

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Optional is a member of a JSON body that may be left out, where that differs from null and from its empty value.
type Optional[T any] struct {
	// Set is whether the member was there at all.
	Set bool
	// Null is whether it was there as null.
	Null bool
	// Value is its value, where it was there and not null.
	Value T
}

// UnmarshalJSONFrom reads the value and remembers that it was there.
func (o *Optional[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*o = Optional[T]{Set: true, Null: dec.PeekKind() == 'n'}
	return json.UnmarshalDecode(dec, &o.Value)
}
