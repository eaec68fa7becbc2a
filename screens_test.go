package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"belfry/store/storetest"
)

var screensInto = flag.String("screens", "", "the `folder` that takes the pictures of all screens; empty: two are taken, and thrown away")

// TestPagesCanBeShot takes the pictures of docs/screens: `make screens`.
func TestPagesCanBeShot(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := &screens{into: *screensInto, looks: []look{{Width: wide}, {Width: wide, Dark: true}, {Width: narrow}, {Width: narrow, Dark: true}}}
	days, busy, first := "30", busyScreens, firstScreens
	if s.into == "" {
		s.into, s.looks, days, busy, first = t.TempDir(), s.looks[:2], "0", busyScreens[:1], nil
	}
	window := startBrowser(t)
	s.flow = &flow{t: t, site: boot(t, nil, "demo", "-addr", "127.0.0.1:0", "-days", days), p: window.newTab(t, look{})}
	s.signIn()
	s.shootAll(busy)
	if len(first) > 0 {
		s.flow = &flow{t: t, site: boot(t, environmentFor(storetest.NoDatabase(t)), "-addr", "127.0.0.1:0"), p: window.newTab(t, look{})}
		s.shootAll(first)
	}
	if s.taken != len(s.looks)*(len(busy)+len(first)) {
		t.Errorf("%d pictures were taken of %d screens in %d looks", s.taken, len(busy)+len(first), len(s.looks))
	}
	t.Logf("%d pictures, %d KiB", s.taken, s.bytes>>10)
}

// screens takes a picture of each screen in each look.
type screens struct {
	*flow
	into         string
	looks        []look
	taken, bytes int
}

// screen is one page in one state. Do leads to it; where it is nil the path is
// opened. What do makes is shot as it stands, since loading it again would lose
// it; a path is loaded for each look.
type screen struct {
	name string
	path func(s *screens) string
	do   func(s *screens)
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

func (s *screens) shootAll(list []screen) {
	s.t.Helper()
	if err := os.MkdirAll(s.into, 0o755); err != nil {
		s.t.Fatal(err)
	}
	for _, one := range list {
		s.p.lookAs(look{})
		if one.do != nil {
			one.do(s)
		}
		path := ""
		if one.path != nil {
			path = one.path(s)
		}
		for _, l := range s.looks {
			s.p.lookAs(l)
			if path != "" {
				s.p.open(s.site.url + path)
			}
			s.shoot(one.name + l.suffix())
		}
		s.p.takeFaults() // a page of an error is noted by the browser
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
	if err := os.WriteFile(filepath.Join(s.into, name+".png"), picture, 0o644); err != nil {
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
	path, err := evaluate[string](s.p, fmt.Sprintf("new URL(document.querySelector(%s).href).pathname", quote(selector)))
	if err != nil {
		s.p.fatalf("no link %s: %v", selector, err)
	}
	return path
}
