package handlers

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"

	"belfry/store"
	"belfry/views"
	"belfry/web"
)

// liveList is a list that pages follow.
type liveList interface {
	// changes listens to what may change the list.
	changes() *store.Listener
	// rows are the first of the list, as they are now.
	rows(ctx context.Context) ([]liveRow, error)
	// count is how many match, and what else stands above the rows, as changes of
	// the page.
	count(ctx context.Context) (templ.Component, error)
	// every is the shortest time between two looks at it.
	every() time.Duration
}

// liveRow is one row of a list that is followed.
type liveRow struct {
	id   string // of its element
	mark uint64 // of what makes it look different, but for the time that passes
	line func(fresh bool) templ.Component
}

// feeds are the lists that pages follow now. Each is looked at once for all who
// follow it, and only while somebody does.
type feeds struct {
	mu   sync.Mutex
	open map[string]*feed
}

// feed is a list that is followed: how it is now, and the last changes.
type feed struct {
	list      liveList
	cancel    context.CancelFunc
	done      chan struct{}
	listeners int // guarded by feeds.mu

	mu      sync.Mutex
	more    chan struct{} // closed when something happens
	looked  bool          // rows are there
	rows    []liveRow
	counted []byte
	late    bool // a page showed rows of before
	frames  []web.Message
	first   int // number of frames[0]
	err     error
}

// keptFrames is how many messages a listener may be behind; one that is further
// behind gets the whole list.
const keptFrames = 32

// join follows the list named by the key; leave must be called after.
func (fs *feeds) join(key string, list liveList) *feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.open[key]
	if f == nil || f.failed() {
		ctx, cancel := context.WithCancel(context.Background())
		f = &feed{list: list, cancel: cancel, done: make(chan struct{}), more: make(chan struct{})}
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

// run keeps the list and its count up to date until ctx ends.
func (f *feed) run(ctx context.Context) {
	defer close(f.done)
	ctx, cancel := context.WithCancel(ctx)
	var counting sync.WaitGroup
	counting.Go(func() { f.end(f.keepCount(ctx)) })
	bell := f.list.changes()
	defer bell.Close()
	f.end(calmly(ctx, bell, f.list.every(), liveShare, func() error { return f.look(ctx) }))
	cancel()
	counting.Wait()
}

// keepCount counts what matches from time to time while the list changes. At
// first the pages have counted it themselves, but for one that came back later.
func (f *feed) keepCount(ctx context.Context) error {
	bell := f.list.changes()
	defer bell.Close()
	if !sleep(ctx, countEvery) || !f.wasLate() && !heard(ctx, bell) {
		return nil
	}
	return calmly(ctx, bell, countEvery, countShare, func() error { return f.recount(ctx) })
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

// errFeedEnded ends the streams of a list when the store is closed.
var errFeedEnded = errors.New("the live list has ended")

// look reads the list and tells what changed on it.
func (f *feed) look(ctx context.Context) error {
	rows, err := f.list.rows(ctx)
	if err != nil {
		return err
	}
	changes := f.differences(rows)
	if f.looked && changes.Empty() {
		return nil
	}
	data, err := rendered(ctx, views.LiveRows(changes))
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = rows
	if f.looked {
		err = f.tell(data)
	}
	f.looked = true
	f.wake()
	return err
}

// recount tells how many match where that changed.
func (f *feed) recount(ctx context.Context) error {
	count, err := f.list.count(ctx)
	if err != nil {
		return err
	}
	data, err := rendered(ctx, count)
	if err != nil || bytes.Equal(data, f.counted) {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counted = data
	err = f.tell(data)
	f.wake()
	return err
}

func (f *feed) wasLate() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.late
}

// tell keeps a message for all who follow; its id is the mark of the list after
// it.
func (f *feed) tell(data []byte) error {
	message, err := web.NewMessage("", markOf(f.rows), data)
	if err != nil {
		return err
	}
	f.frames = append(f.frames, message)
	if old := len(f.frames) - keptFrames; old > 0 {
		f.frames, f.first = slices.Delete(f.frames, 0, old), f.first+old
	}
	return nil
}

func (f *feed) wake() {
	close(f.more)
	f.more = make(chan struct{})
}

// differences tells what must change so that a page shows the rows.
func (f *feed) differences(rows []liveRow) views.RowChanges {
	var changes views.RowChanges
	before, now := marksOf(f.rows), marksOf(rows)
	whole, old := false, false
	for _, row := range rows {
		known, there := before[row.id]
		switch {
		case !there:
			changes.New = append(changes.New, row.line(true))
			whole = whole || old // it belongs in the middle
		case known != row.mark:
			changes.Changed = append(changes.Changed, views.ChangedRow{ID: row.id, Row: row.line(false)})
		}
		old = old || there
	}
	for _, row := range f.rows {
		if _, still := now[row.id]; !still {
			changes.Gone = append(changes.Gone, row.id)
		}
	}
	if whole || len(changes.New)+len(changes.Changed) > manyRows || !slices.Equal(common(f.rows, now), common(rows, before)) {
		return wholeList(rows)
	}
	return changes
}

// common are the ids of the rows that others have too, in their order.
func common(rows []liveRow, others map[string]uint64) (ids []string) {
	for _, row := range rows {
		if _, there := others[row.id]; there {
			ids = append(ids, row.id)
		}
	}
	return ids
}

func wholeList(rows []liveRow) views.RowChanges {
	all := make([]templ.Component, len(rows))
	for i, row := range rows {
		all[i] = row.line(false)
	}
	return views.RowChanges{All: all}
}

func marksOf(rows []liveRow) map[string]uint64 {
	marks := make(map[string]uint64, len(rows))
	for _, row := range rows {
		marks[row.id] = row.mark
	}
	return marks
}

// markOf is a short word for how a list looks.
func markOf(rows []liveRow) string {
	sum := fnv.New64a()
	for _, row := range rows {
		_, _ = sum.Write([]byte(row.id + strconv.FormatUint(row.mark, 36) + " ")) // never fails
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

func rendered(ctx context.Context, c templ.Component) ([]byte, error) {
	var frame bytes.Buffer
	err := c.Render(ctx, &frame)
	return frame.Bytes(), err
}

// listener is one page that follows a feed.
type listener struct {
	feed *feed
	seen string // the mark of what the page shows
	next int    // number of the next frame; -1: it has got none yet
}

// await gives what the page has to be told next.
func (l *listener) await(ctx context.Context) ([]web.Message, error) {
	for {
		frames, more, err := l.take(ctx)
		if err != nil || len(frames) > 0 {
			return frames, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-more:
		}
	}
}

// take gives the frames that the page has not got, or all as it is now where it
// lacks too many, or else what to wait for.
func (l *listener) take(ctx context.Context) ([]web.Message, <-chan struct{}, error) {
	f := l.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	end := f.first + len(f.frames)
	switch {
	case f.err != nil:
		return nil, nil, f.err
	case !f.looked, l.next == end:
		return nil, f.more, nil
	case l.next >= f.first:
		frames := slices.Clone(f.frames[l.next-f.first:])
		l.next = end
		return frames, nil, nil
	}
	l.next = end
	mark := markOf(f.rows)
	if mark == l.seen {
		return nil, f.more, nil
	}
	f.late = true
	data, err := rendered(ctx, views.LiveRows(wholeList(f.rows)))
	if err != nil {
		return nil, nil, err
	}
	message, err := web.NewMessage("", mark, append(data, f.counted...))
	return []web.Message{message}, nil, err
}

// serve sends the page what happens, until ctx or its session ends.
func (l *listener) serve(ctx context.Context, session *sessionWatch, send web.Send) error {
	for {
		frames, err := l.await(ctx)
		if err != nil {
			return err
		}
		if ended, err := session.ended(ctx); ended || err != nil {
			return err
		}
		for _, frame := range frames {
			if err := send(frame); err != nil {
				return err
			}
		}
	}
}
