package store

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed catalogue.json
var catalogueJSON []byte

// catalogue is the built-in event types in the order in which they are shown.
type catalogue struct {
	types  []EventType
	byName map[string]EventType
	// groups are the ids of the groups in order, with their titles.
	groups []string
	titles map[string]string
}

// builtin reads the catalogue once, when it is first asked for.
var builtin = sync.OnceValue(func() *catalogue {
	c, err := readCatalogue(catalogueJSON)
	if err != nil {
		panic(err) // the program was built with a damaged file
	}
	return c
})

func readCatalogue(text []byte) (*catalogue, error) {
	var groups []struct {
		Group, Title string
		Types        []struct {
			Name, Title, Description string
			Schema, Sample           json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &groups); err != nil {
		return nil, fmt.Errorf("read the event catalogue: %w", err)
	}
	c := &catalogue{byName: map[string]EventType{}, titles: map[string]string{}}
	for _, g := range groups {
		c.groups = append(c.groups, g.Group)
		c.titles[g.Group] = g.Title
		for _, t := range g.Types {
			e := EventType{
				Name: t.Name, Group: g.Group, Title: t.Title, Description: t.Description, Source: SourceBuiltin,
				Schema: compact(t.Schema), Sample: compact(t.Sample),
			}
			c.types = append(c.types, e)
			c.byName[e.Name] = e
		}
	}
	return c, nil
}

// compact takes insignificant space out of valid JSON; nil stays nil.
func compact(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return text
	}
	return b.Bytes()
}

// BuiltinEventTypes are the types that every account has, in the order of the
// catalogue.
func BuiltinEventTypes() []EventType { return slices.Clone(builtin().types) }

// GroupTitle gives a group's name for people: "Calls" for "call".
func GroupTitle(group string) string {
	if title, ok := builtin().titles[group]; ok {
		return title
	}
	return sentence(group)
}

// sentence makes words of a type's name: "order.paid_late" is "Order paid late".
func sentence(name string) string {
	words := strings.NewReplacer(".", " ", "_", " ").Replace(name)
	words = strings.Join(strings.Fields(words), " ")
	if words == "" {
		return name
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// groupOf is the part of a type's name before its first dot.
func groupOf(name string) string {
	group, _, _ := strings.Cut(name, ".")
	return group
}
