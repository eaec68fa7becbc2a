package views

// CatalogueView is the page of event types.
type CatalogueView struct {
	Unknown  []Unknown
	Filters  FiltersView
	Sources  FilterView
	Filtered bool
	Groups   []CatalogueGroup
	MayAdd   bool
	All      int // types without filters
}

// CatalogueGroup is a group of event types.
type CatalogueGroup struct {
	Title, Wildcard string
	Types           []CatalogueType
}

// CatalogueType is one event type, with who wants it and how often it came.
type CatalogueType struct {
	Name, Text, Source string
	Count              int
	CountHref          string
	Subscribers        []Link
	Sample, Schema     string
	TestHref           string // empty for who may not
	Open               bool
}

func (t CatalogueType) subscribers() string {
	if len(t.Subscribers) == 0 {
		return "nobody subscribes"
	}
	return Plural(len(t.Subscribers), "webhook", "webhooks")
}

// TypeFormView is the form for an event type of one's own.
type TypeFormView struct {
	Token, Name, Description, Schema, Sample string
	Faults                                   FieldErrors
	Refusal                                  string
}
