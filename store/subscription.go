package store

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var typeName = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)

const (
	maxTypeName = 100
	// maxPatterns bounds a webhook's list, maxComplaints how many wrong entries
	// of it are named at once.
	maxPatterns   = 1000
	maxComplaints = 20
)

// ownGroup is the group of the events that Belfry itself publishes.
const ownGroup = "webhook"

// CheckTypeName says what is wrong with the name of an event type, as a
// sentence; nil when it is well formed.
func CheckTypeName(name string) error {
	switch {
	case name == "":
		return errors.New("name the event type, such as order.paid")
	case len(name) > maxTypeName:
		return fmt.Errorf("an event type has at most %d characters", maxTypeName)
	case !typeName.MatchString(name):
		return fmt.Errorf(`%q is not an event type: use small letters, digits and underscores in parts joined by dots, such as order.paid`, name)
	}
	return nil
}

// IsOwnGroup says whether the type is one that only Belfry publishes.
func IsOwnGroup(eventType string) bool { return groupOf(eventType) == ownGroup }

// Matches says whether a webhook with this list gets events of the type. An
// empty list means all but Belfry's own, which must be named.
func Matches(patterns []string, eventType string) bool {
	if len(patterns) == 0 {
		return !IsOwnGroup(eventType)
	}
	for _, p := range patterns {
		if p == eventType {
			return true
		}
		if group, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(eventType, group) {
			return true
		}
	}
	return false
}

// checkSubscription gives a webhook's list without duplicates, or what is wrong
// with it: each entry must be a known type or the wildcard of a known group.
func checkSubscription(patterns []string, known map[string]bool) (list []string, f faults) {
	list = []string{}
	if len(patterns) > maxPatterns {
		f.add("events", fmt.Sprintf("name at most %d types; a whole group is one entry, such as call.*", maxPatterns))
		return list, f
	}
	seen := map[string]bool{}
	for _, p := range patterns {
		if seen[p] {
			continue
		}
		seen[p] = true
		list = append(list, p)
		if detail := patternFault(p, known); detail != "" {
			f.add("events", detail)
		}
		if len(f) == maxComplaints {
			break
		}
	}
	return list, f
}

// elsewhere leads on where no known name is near.
const elsewhere = "; choose from the event catalogue, or add a type there"

func patternFault(p string, known map[string]bool) string {
	group, wildcard := strings.CutSuffix(p, ".*")
	switch {
	case known[p]:
		return ""
	case p == "*":
		return `for all events leave the list empty`
	case len(p) > maxTypeName:
		return fmt.Sprintf("an event type has at most %d characters", maxTypeName)
	case wildcard:
		return groupFault(group, known)
	}
	fault := fmt.Sprintf("%q is not a known event type", p)
	if nearest := Suggest(p, names(known)); nearest != "" {
		return fmt.Sprintf("%s; did you mean %q?", fault, nearest)
	}
	return fault + elsewhere
}

func groupFault(group string, known map[string]bool) string {
	groups := map[string]bool{}
	for name := range known {
		groups[groupOf(name)] = true
	}
	if groups[group] {
		return ""
	}
	fault := fmt.Sprintf("%q is not a known group of event types", group+".*")
	if nearest := Suggest(group, names(groups)); nearest != "" {
		return fmt.Sprintf("%s; did you mean %q?", fault, nearest+".*")
	}
	return fault + elsewhere
}

func names(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Suggest gives the known name nearest to name by edit distance, the first of
// several. It is empty where none is near: where every other character or more
// of the longer one would have to change.
func Suggest(name string, known []string) string {
	name = strings.ToLower(name)
	nearest, least := "", -1
	for _, k := range known {
		d := distance(name, k)
		if 2*d <= max(len(name), len(k)) && (least < 0 || d < least) {
			nearest, least = k, d
		}
	}
	return nearest
}

// distance counts the bytes to insert, remove or replace, and the neighbours to
// swap, that turn a into b.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
