package handlers

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/a-h/templ"

	"belfry/store"
	"belfry/web"
)

// followed is what open pages show and are kept up to date with.
type followed interface {
	// changes listens to what may change it.
	changes() *store.Listener
	// now is how it looks.
	now(ctx context.Context) (liveState, error)
	// every is the shortest time between two looks at it.
	every() time.Duration
}

// counted is followed with what is dearer to know, and told less often.
type counted interface {
	followed
	// count is how many match, and what else stands above the rows, as changes of
	// the page.
	count(ctx context.Context) (templ.Component, error)
}

// liveState is how something that is followed looked at some time.
type liveState interface {
	// mark is a short word for it, the same as long as it looks the same.
	mark() string
	// since is what to tell those who show how it looked before; nil: nothing.
	// Where before is nil nobody knows what they show.
	since(before liveState) *liveNews
}

// liveNews is told to pages: what changes on them, or an event of theirs.
type liveNews struct {
	event string // empty: body is changes
	body  templ.Component
}

// message is the news for those who then show the state of that mark.
func (n *liveNews) message(ctx context.Context, mark string, more []byte) (web.Message, error) {
	body, err := rendered(ctx, n.body)
	if err != nil {
		return nil, err
	}
	return web.NewMessage(n.event, mark, append(body, more...))
}

// feeds are what pages follow now. Each is looked at once for all who follow it,
// and only while somebody does.
type feeds struct {
	mu    sync.Mutex
	open  map[string]*feed
	looks looks
}

func newFeeds() *feeds { return &feeds{open: map[string]*feed{}, looks: newLooks()} }

// feed is one thing that is followed: how it is now, and the last changes.
type feed struct {
	of        followed
	looks     looks
	cancel    context.CancelFunc
	done      chan struct{}
	listeners int // guarded by feeds.mu

	mu      sync.Mutex
	more    chan struct{} // closed when something happens
	state   liveState     // nil before the first look
	counted []byte
	late    bool // a page showed what was before
	frames  []web.Message
	first   int // number of frames[0]
	err     error
}

// keptFrames is how many messages a listener may be behind; one that is further
// behind gets all of it.
const keptFrames = 32

// join follows what the key names; leave must be called after.
func (fs *feeds) join(key string, of followed) *feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.open[key]
	if f == nil || f.failed() {
		ctx, cancel := context.WithCancel(context.Background())
		f = &feed{of: of, looks: fs.looks, cancel: cancel, done: make(chan struct{}), more: make(chan struct{})}
		fs.open[key] = f
		go f.run(ctx)
	}
	f.listeners++
	return f
}

// leave ends the feed with its last listener, and waits until it asks nothing
// any more.
func (fs *feeds) leave(key string, f *feed) {
	fs.mu.Lock()
	f.listeners--
	last := f.listeners == 0
	if last && fs.open[key] == f {
		delete(fs.open, key)
	}
	fs.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

func (f *feed) failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err != nil
}

// run keeps it and its count up to date until ctx ends.
func (f *feed) run(ctx context.Context) {
	defer close(f.done)
	ctx, cancel := context.WithCancel(ctx)
	var counting sync.WaitGroup
	if list, ok := f.of.(counted); ok {
		counting.Go(func() { f.end(f.keepCount(ctx, list)) })
	}
	bell := f.of.changes()
	defer bell.Close()
	f.end(f.looks.keep(ctx, bell, rhythm{f.of.every(), liveShare}, func() error { return f.look(ctx) }))
	cancel()
	counting.Wait()
}

// keepCount counts what matches from time to time while the list changes. At
// first the pages have counted it themselves, but for one that came back later.
func (f *feed) keepCount(ctx context.Context, list counted) error {
	bell := list.changes()
	defer bell.Close()
	if !sleep(ctx, countEvery) || !f.wasLate() && !heard(ctx, bell) {
		return nil
	}
	return f.looks.keep(ctx, bell, rhythm{countEvery, countShare}, func() error { return f.recount(ctx, list) })
}

// end lets the streams of those who follow end.
func (f *feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	if f.err = err; err == nil {
		f.err = errFeedEnded
	}
	f.wake()
}

// errFeedEnded ends the streams of those who follow when the store is closed.
var errFeedEnded = errors.New("the live page has ended")

// look sees how it is now and tells what changed.
func (f *feed) look(ctx context.Context) error {
	state, err := f.of.now(ctx)
	if err != nil {
		return err
	}
	var told web.Message
	if f.state != nil { // only look writes it
		news := state.since(f.state)
		if news == nil {
			return nil
		}
		if told, err = news.message(ctx, state.mark(), nil); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
	f.tell(told)
	return nil
}

// recount tells how many match where that changed.
func (f *feed) recount(ctx context.Context, list counted) error {
	count, err := list.count(ctx)
	if err != nil {
		return err
	}
	data, err := rendered(ctx, count)
	if err != nil || bytes.Equal(data, f.counted) { // only recount writes it
		return err
	}
	told, err := web.NewMessage("", "", data)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counted = data
	f.tell(told)
	return nil
}

func (f *feed) wasLate() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.late
}

// tell keeps a message for all who follow, if there is one, and wakes them.
func (f *feed) tell(message web.Message) {
	if message != nil {
		f.frames = append(f.frames, message)
	}
	if old := len(f.frames) - keptFrames; old > 0 {
		f.frames, f.first = slices.Delete(f.frames, 0, old), f.first+old
	}
	f.wake()
}

func (f *feed) wake() {
	close(f.more)
	f.more = make(chan struct{})
}

func rendered(ctx context.Context, c templ.Component) ([]byte, error) {
	var frame bytes.Buffer
	err := c.Render(ctx, &frame)
	return frame.Bytes(), err
}
