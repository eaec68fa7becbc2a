// Package handlers says what each address does: the pages, the JSON API and the
// live stream. routes.go is the map, errors.go the one answer to errors.
package handlers

import (
	"log/slog"
	"time"

	"belfry/store"
	"belfry/store/uuid"
	"belfry/web"
)

// Options says what the handlers work with.
type Options struct {
	// Store is the open database. Required.
	Store *store.Store
	// Secure is whether people come by https; it makes the session cookie so.
	Secure bool
	// Version is Belfry's own, for pages and the API document.
	Version string
	// BaseURL is where people reach the server, without a final slash; empty
	// where it is not known. Examples on pages name it.
	BaseURL string
	// Styleguide shows every part of the pages under /styleguide, for who works on
	// them.
	Styleguide bool
	// PrintCode tells whoever started the program a new first-run code. Nil: it
	// is told to nobody.
	PrintCode func(code string)
	// Now is the clock of limits and sessions. Nil: time.Now.
	Now func() time.Time
	// Log hears what no visitor can be told; nil: slog.Default.
	Log *slog.Logger
}

// Handlers answers every address of Belfry. Its methods may be used from many
// goroutines.
type Handlers struct {
	opt      Options
	store    *store.Store
	sessions *web.Sessions
	calls    *web.Limiter  // API requests by key
	rates    *rateCache    // how many each account's keys may make
	signIns  *web.Attempts // slows down guessing of passwords
	feeds    *feeds        // what pages follow
	audience audience      // who follows them
	log      *slog.Logger
}

// New returns handlers without an address: give Error to the web server's
// options, then the server to Routes.
func New(opt Options) *Handlers {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	if opt.PrintCode == nil {
		opt.PrintCode = func(string) {}
	}
	return &Handlers{
		opt:      opt,
		store:    opt.Store,
		sessions: web.NewSessions(web.SessionOptions{Store: opt.Store.Sessions(), Secure: opt.Secure, Now: opt.Now}),
		calls:    web.NewLimiter(opt.Now),
		rates:    newRateCache(opt.Now),
		signIns:  web.NewAttempts(opt.Now),
		feeds:    newFeeds(),
		audience: audience{open: map[uuid.UUID]int{}},
		log:      opt.Log,
	}
}
