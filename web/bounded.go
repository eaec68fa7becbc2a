package web

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounded is an array in a JSON body that may have at most Most items, to be set before it is decoded. One more than
// that is kept, so that whoever counts the items sees that there are too many; those behind it are read and dropped, so
// that a million empty items take no more memory than their bytes.
type Bounded[T any] struct {
	Most int
	// Of says what the items are, with an example, to who sends no array.
	Of    string
	Items []T
}

// UnmarshalJSONFrom reads the array; null is an empty one.
func (b *Bounded[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	b.Items = nil
	if dec.PeekKind() != '[' {
		return b.other(dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for kind := dec.PeekKind(); kind != ']'; kind = dec.PeekKind() {
		if err := b.item(dec); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// other reads what is no array: null, or what is refused by saying which array it must be.
func (b *Bounded[T]) other(dec *jsontext.Decoder) error {
	kind, field := dec.PeekKind(), fieldPath(dec.StackPointer())
	err := json.UnmarshalDecode(dec, &b.Items)
	var e *json.SemanticError
	if errors.As(err, &e) && b.Of != "" {
		return invalid(field, "must be an array of "+b.Of+", not "+kindName(kind), err)
	}
	return err
}

func (b *Bounded[T]) item(dec *jsontext.Decoder) error {
	if len(b.Items) > b.Most {
		return dec.SkipValue()
	}
	var one T
	if err := json.UnmarshalDecode(dec, &one); err != nil {
		return err
	}
	b.Items = append(b.Items, one)
	return nil
}
