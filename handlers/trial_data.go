package handlers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"belfry/store"
	"belfry/views"
)

// schemaPart is what of a JSON Schema is looked at before a test is sent: what
// the object must have, of which type, and out of which words.
type schemaPart struct {
	Required   []string
	Properties map[string]struct {
		Type any
		Enum []any
	}
}

// checkData says what is wrong with the data of a test, or what it has of what
// the type's schema asks for. The schema only advises: what is sent is the
// admin's choice.
func checkData(known store.EventType, text string) views.DataView {
	v := views.DataView{Text: text}
	if strings.TrimSpace(text) == "" {
		v.Ticks = []views.Tick{{Tone: "idle", Word: "Empty: the sample is sent"}}
		return v
	}
	if fault := store.JSONFault(text); fault != "" {
		v.Error = sentence(fault)
		return v
	}
	var object map[string]any
	var schema schemaPart
	if json.Unmarshal([]byte(text), &object) != nil || len(known.Schema) == 0 || json.Unmarshal(known.Schema, &schema) != nil {
		v.Ticks = []views.Tick{{Tone: "ok", Word: "Valid JSON"}}
		return v
	}
	v.Ticks = ticksOf(schema.faults(object))
	return v
}

// faults names what of an object is not as the schema asks for.
func (s schemaPart) faults(object map[string]any) []string {
	var faults []string
	for name, value := range object {
		property := s.Properties[name]
		if want, ok := property.Type.(string); ok && !isOfType(value, want) {
			faults = append(faults, name+" should be of type "+want)
		} else if word, ok := value.(string); ok && len(property.Enum) > 0 && !slices.Contains(property.Enum, any(word)) {
			faults = append(faults, name+" should be "+orWords(property.Enum))
		}
	}
	slices.Sort(faults)
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			faults = append(faults, "The schema asks for "+name)
		}
	}
	return faults
}

// orWords lists what may be chosen: "inbound or outbound".
func orWords(choices []any) string {
	if len(choices) > 6 {
		return "one of the " + strconv.Itoa(len(choices)) + " words of the schema"
	}
	var words []string
	for _, choice := range choices {
		words = append(words, fmt.Sprint(choice))
	}
	return strings.Join(words, " or ")
}

// ticksOf shows the first faults, and how many more there are.
func ticksOf(faults []string) []views.Tick {
	const shown = 3
	if len(faults) == 0 {
		return []views.Tick{{Tone: "ok", Word: "Valid, fits the schema"}}
	}
	var ticks []views.Tick
	for _, fault := range faults[:min(len(faults), shown)] {
		ticks = append(ticks, views.Tick{Tone: "warn", Word: fault})
	}
	if more := len(faults) - shown; more > 0 {
		ticks = append(ticks, views.Tick{Tone: "warn", Word: "and " + strconv.Itoa(more) + " more"})
	}
	return ticks
}

// isOfType says whether a decoded JSON value is of a type of JSON Schema.
func isOfType(value any, want string) bool {
	switch v := value.(type) {
	case nil:
		return want == "null"
	case bool:
		return want == "boolean"
	case string:
		return want == "string"
	case float64:
		return want == "number" || want == "integer" && v == float64(int64(v))
	case []any:
		return want == "array"
	}
	return want == "object"
}
