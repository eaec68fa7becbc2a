package handlers

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/a-h/templ"

	"belfry/store/storetest"
	"belfry/views"
)

// shownViews is what all tests of this package render, by the names of views.
var shownViews = &seen{names: map[string]bool{}, calls: map[uintptr]string{}}

// seen notes the components that are rendered: each of them looks for its
// children in the context, and is found on the stack there.
type seen struct {
	mu    sync.Mutex
	names map[string]bool
	calls map[uintptr]string // the component that a call stands in; empty: in none
}

// watch notes what the handler renders.
func (s *seen) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(watched{templ.InitializeContext(r.Context()), s}))
	})
}

type watched struct {
	context.Context
	seen *seen
}

func (w watched) Value(key any) any {
	w.seen.note()
	return w.Context.Value(key)
}

func (s *seen) note() {
	var stack [10]uintptr
	calls := stack[:runtime.Callers(3, stack[:])]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range calls {
		name, known := s.calls[call]
		if !known {
			name = componentAt(call)
			s.calls[call] = name
		}
		if name != "" {
			s.names[name] = true
			return
		}
	}
}

// componentAt is the component that a call stands in; empty: in none.
func componentAt(call uintptr) string {
	frames := runtime.CallersFrames([]uintptr{call})
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.File, "_templ.go") {
			return componentOf(frame.Function)
		}
		if !more {
			return ""
		}
	}
}

// componentOf is the component that a closure is of: Toast in views.Toast.func1,
// in views.Toast.func1.2 and, made part of its caller, in handlers.say.Toast.func1.
func componentOf(closure string) string {
	parts := strings.Split(closure, ".")
	for i := len(parts) - 1; i > 0; i-- {
		if strings.Trim(strings.TrimPrefix(parts[i], "func"), "0123456789") != "" {
			return parts[i]
		}
	}
	return closure
}

// missing are the components of views that were never rendered.
func (s *seen) missing() []string {
	files, err := filepath.Glob("../views/*_templ.go")
	if err != nil || len(files) == 0 {
		return []string{fmt.Sprintf("no templates were found (%v)", err)}
	}
	var names []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return []string{err.Error()}
		}
		for _, found := range regexp.MustCompile(`(?m)^func (\w+)\(.*\) templ\.Component \{$`).FindAllStringSubmatch(string(source), -1) {
			if name := found[1]; !s.names[name] && !streamed(name) {
				names = append(names, found[1])
			}
		}
	}
	slices.Sort(names)
	return names
}

// streamed says that a component is rendered once for all who watch a stream,
// outside of any request: the tests of streams read what becomes of it.
func streamed(name string) bool { return strings.HasPrefix(name, "Live") || name == "LogCount" }

// TestMain runs all tests and then demands that they rendered every view: one
// that none of them sees may be broken, or not needed.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if code == 0 && everyTestRan() {
		if names := shownViews.missing(); len(names) > 0 {
			fmt.Printf("FAIL: %d views were never rendered by any test: %s\n", len(names), strings.Join(names, ", "))
			code = 1
		}
	}
	os.Exit(code)
}

// everyTestRan is false where only some were asked for.
func everyTestRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

func TestTheStyleguideIsThereWhereItIsAskedFor(t *testing.T) {
	db := storetest.SQLite(t)
	s := newSite(t, db, nil)
	b := s.signedIn("viewer")
	for name := range views.Styleguide() {
		b.get(styleguidePath+"/"+name).wants(t, http.StatusOK)
	}
	b.get(styleguidePath).wants(t, http.StatusOK)
	b.get(styleguidePath+"/nothing").wants(t, http.StatusNotFound)
}
