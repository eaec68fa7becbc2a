package web

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounded is an array in a JSON body that may have at most Most items, to be set before it is decoded. One more than
// that is kept, so that whoever counts the items sees that there are too many; those behind it are read and dropped, so
// that a million empty items take no more memory than their bytes.
type Bounded[T any] struct {
	Most  int
	Items []T
}

// UnmarshalJSONFrom reads the array; null is an empty one.
func (b *Bounded[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	b.Items = nil
	if dec.PeekKind() != '[' {
		return json.UnmarshalDecode(dec, &b.Items) // null, or the error that says that it must be an array
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
