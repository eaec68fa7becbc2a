package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belfry/store/storetest"
)

var (
	screensInto = flag.String("screens", "", "the `folder` that takes the pictures of all screens")
	looks       = flag.Bool("looks", false, "hold all screens against every look, and walk them by keyboard alone")
)

// TestScreens takes the pictures of docs/screens with `make screens`, and looks
// at what they show with `make looks`. Without either it tries both uses on the
// first screen.
func TestScreens(t *testing.T) {
	s := &screens{into: *screensInto, looks: []look{{Width: wide}, {Width: wide, Dark: true}, {Width: narrow}, {Width: narrow, Dark: true}}, widths: []int64{narrow, wide}}
	switch {
	case s.into != "":
		s.uses = append(s.uses, s.shootAll)
	case *looks:
		s.uses, s.keyboard = append(s.uses, s.inspect), true
	default:
		s.into, s.looks, s.widths, s.uses = t.TempDir(), s.looks[:2], s.widths[:1], append(s.uses, s.shootAll, s.inspect)
	}
	n := s.visitAll(t, *looks || *screensInto != "")
	if s.into != "" && s.taken != len(s.looks)*n {
		t.Errorf("%d pictures were taken of %d screens in %d looks", s.taken, n, len(s.looks))
	}
	t.Logf("%d screens, %d pictures of %d KiB", n, s.taken, s.bytes>>10)
}

// screens leads to each screen and does there what it is used for.
type screens struct {
	*flow
	// uses get the screen it stands before and its path; "" where a reload would lose it.
	uses     []func(one screen, path string)
	keyboard bool // it is also walked by keyboard

	into         string // where pictures go
	looks        []look
	widths       []int64 // at which a screen is inspected in all looks
	taken, bytes int
}

// screen is one page in one state. Do leads to it; where it is nil the path is
// opened. What do makes is used as it stands, since loading it again would lose
// it; a path is loaded for each look. Says is the state that its head has to name.
type screen struct {
	name string
	path func(s *screens) string
	do   func(s *screens)
	says string
}

// visitAll leads to the whole list, or to the first of it alone, and gives how
// many screens that are.
func (s *screens) visitAll(t *testing.T, whole bool) int {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	days, busy, first := "30", busyScreens, firstScreens
	if !whole {
		days, busy, first = "0", busyScreens[:1], nil
	}
	window := startBrowser(t)
	s.flow = &flow{t: t, site: boot(t, nil, "demo", "-addr", "127.0.0.1:0", "-days", days), p: window.newTab(t, look{})}
	s.signIn()
	if s.keyboard {
		s.walkByKeyboard()
	}
	s.visit(busy)
	if len(first) > 0 {
		s.flow = &flow{t: t, site: boot(t, environmentFor(storetest.NoDatabase(t)), "-addr", "127.0.0.1:0"), p: window.newTab(t, look{})}
		s.visit(first)
	}
	return len(busy) + len(first)
}

func (s *screens) signIn() {
	password, ok := s.site.out.wait(`password  (\S+)\n`, s.site.ended)
	if !ok {
		s.t.Fatalf("no password was printed:\n%s", s.site.out)
	}
	s.open("/login")
	s.p.fill("#email", demoEmail)
	s.p.fill("#password", password)
	s.p.follow(submitOf("/login"))
}

// visit leads to each screen of a list. One that fails leaves the others be.
func (s *screens) visit(list []screen) {
	root := s.t
	defer func() { s.t, s.p.t = root, root }()
	for _, one := range list {
		root.Run(one.name, func(t *testing.T) {
			s.t, s.p.t = t, t
			s.p.lookAs(look{})
			if one.do != nil {
				one.do(s)
			}
			path := ""
			if one.path != nil {
				path = one.path(s)
			}
			if one.says != "" {
				s.open(path)
				s.p.seeText(".head .title", one.says)
			}
			for _, use := range s.uses {
				use(one, path)
			}
			s.p.takeFaults() // a page of an error is noted by the browser
		})
	}
}

// shootAll shoots a screen in each look.
func (s *screens) shootAll(one screen, path string) {
	for _, l := range s.looks {
		s.p.lookAs(l)
		if path != "" {
			s.p.open(s.site.url + path)
		}
		s.shoot(one.name + l.suffix())
	}
}

// shoot keeps the page as it stands, once nothing in it waits for its first rows.
func (s *screens) shoot(name string) {
	s.t.Helper()
	s.p.until("nothing has the focus that blinks", "(() => { document.activeElement?.blur(); scrollTo(0, 0); return true })()")
	picture, err := s.p.picture()
	if err != nil {
		s.p.fatalf("shoot %s: %v", name, err)
	}
	if picture, err = slim(picture); err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(s.into, 0o755), os.WriteFile(filepath.Join(s.into, name+".png"), picture, 0o644)); err != nil {
		s.t.Fatal(err)
	}
	s.taken++
	s.bytes += len(picture)
}

// at gives a screen that is a path.
func at(path string) func(*screens) string { return func(*screens) string { return path } }

// hookAt gives the page of the sample webhook at that host.
func hookAt(host, more string) func(*screens) string {
	return func(s *screens) string {
		s.open("/setup/webhooks?q=https://" + host + demoDomain)
		return s.link("#list th a[href^='/setup/webhooks/']") + more
	}
}

// deliveryWith gives the page of the newest delivery that matches a filter.
func deliveryWith(filter string) func(*screens) string {
	return func(s *screens) string {
		s.open("/setup/webhooks/logs?" + filter)
		return s.link("a[href^='/setup/webhooks/deliveries/']")
	}
}

// link is where the first link that matches leads, without what follows a "?".
func (s *screens) link(selector string) string {
	s.t.Helper()
	path, _, _ := strings.Cut(s.address(selector), "?")
	return path
}

// address is where the first link that matches leads, on this site.
func (s *screens) address(selector string) string {
	s.t.Helper()
	address, err := evaluate[string](s.p, fmt.Sprintf("(({pathname, search}) => pathname + search)(new URL(document.querySelector(%s).href))", quote(selector)))
	if err != nil {
		s.p.fatalf("no link %s: %v", selector, err)
	}
	return address
}
