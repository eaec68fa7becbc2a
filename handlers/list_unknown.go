package handlers

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

const (
	// unknownsMost is how many parts of an address are named that mean nothing,
	// and unknownText how many letters of each.
	unknownsMost = 5
	unknownText  = 40
)

// unknowns are the parts of an address that mean nothing to its list: values,
// names, and what is there twice. A page shows its list without them and says
// so; what takes out or sends again all that matches refuses them.
type unknowns []views.Unknown

// err refuses an address that holds any.
func (u unknowns) err() error {
	var faults []web.FieldError
	for _, part := range u {
		faults = append(faults, web.FieldError{Field: part.Name, Detail: part.Words()})
	}
	return invalidInput(faults...)
}

// refused are the same where nothing is shown instead.
func (u unknowns) refused() unknowns {
	for i := range u {
		u[i].Shown = ""
	}
	return u
}

// read takes the filters from an address, empty where what stands there means
// nothing, and gives what of the address means nothing. Besides are the names
// that mean something there without being filters.
func (f listFilter) read(address url.Values, besides ...string) unknowns {
	var unknown unknowns
	names := make([]string, len(f))
	for i := range f {
		names[i] = f[i].name
		text := strings.TrimSpace(address.Get(f[i].name))
		if *f[i].value = text; !f[i].means(text) {
			*f[i].value = ""
			unknown = append(unknown, f[i].unknown(text, address))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(address)) {
		values := address[name]
		switch known := slices.Contains(names, name); {
		case strings.Join(values, "") == "": // asks nothing
		case known && len(values) > 1:
			unknown = append(unknown, twice(name, address))
		case !known && !slices.Contains(besides, name):
			unknown = append(unknown, unknownName(name, names, address))
		}
	}
	return unknown[:min(len(unknown), unknownsMost)]
}

// unknown is a text that the filter can't do anything with.
func (f *namedFilter) unknown(text string, address url.Values) views.Unknown {
	u := views.Unknown{
		Name: f.name, Bold: "Unknown " + f.name + " " + quoted(text), Shown: "Showing " + f.all + ".", Without: onThisPage(without(address, f.name)),
	}
	if f.words == nil {
		u.Bold, u.Takes = "Not understood: "+f.name+" "+quoted(text), sentence(f.form)
	} else if nearest := store.Suggest(text, f.words); nearest != "" {
		meant := without(address, f.name)
		meant.Set(f.name, nearest)
		u.Meant = views.Link{Label: nearest, Href: onThisPage(meant)}
	} else {
		u.Takes = "It can be " + strings.Join(f.words, ", ") + "."
	}
	return u
}

// unknownName is a name that no filter has.
func unknownName(name string, names []string, address url.Values) views.Unknown {
	u := views.Unknown{Name: web.Clip(name, unknownText), Bold: "Unknown filter " + quoted(name), Shown: "It is left out.", Without: onThisPage(without(address, name))}
	switch nearest := store.Suggest(name, names); {
	case nearest != "":
		meant := without(address, name)
		meant[nearest] = address[name][:1]
		u.Meant = views.Link{Label: nearest, Href: onThisPage(meant)}
	case len(names) == 0:
		u.Takes = "Nothing can be filtered here."
	default:
		u.Takes = "The filters here are " + strings.Join(names, ", ") + "."
	}
	return u
}

// unknownType is an event type that a list is asked for and nobody has published
// or described.
type unknownType struct {
	name  string
	known []views.Option
}

// leading says so above the list of these filters; nothing where nil.
func (t *unknownType) leading(f listFilter) unknowns {
	if t == nil {
		return nil
	}
	address, names := f.query(), make([]string, len(t.known))
	for i := range t.known {
		names[i] = t.known[i].Value
	}
	u := views.Unknown{Name: "event", Bold: "Unknown event " + quoted(t.name), Shown: "Nothing of this type was published.", Without: onThisPage(without(address, "event"))}
	if nearest := store.Suggest(t.name, names); nearest != "" {
		address.Set("event", nearest)
		u.Meant = views.Link{Label: nearest, Href: onThisPage(address)}
	}
	return unknowns{u}
}

// twice is a filter that is there with several values, of which the first
// counts.
func twice(name string, address url.Values) views.Unknown {
	once := without(address, name)
	once[name] = address[name][:1]
	return views.Unknown{Name: name, Bold: name + " is there twice", Shown: "Only the first counts.", Without: onThisPage(once)}
}

// without is the address without a name, from the first page on.
func without(address url.Values, name string) url.Values {
	rest := maps.Clone(address)
	for _, other := range []string{name, "before", "after"} {
		rest.Del(other)
	}
	return rest
}

// onThisPage is an address on the same page.
func onThisPage(q url.Values) string { return "?" + q.Encode() }

func quoted(text string) string { return "“" + web.Clip(text, unknownText) + "”" }
