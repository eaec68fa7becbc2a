package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"belfry/store/uuid"
)

// notice is what one node tells the others; a payload holds at most 8000 bytes.
type notice struct {
	Node    string   `json:"n"`
	Changes []Change `json:"c"`
}

// maxNotice is how many changes go into one notice; beyond it the others are
// told to look at everything.
const maxNotice = 30

const (
	// tellEvery is for how long changes gather in a notice.
	tellEvery = 100 * time.Millisecond
	// tellAgain is how long a notice waits that could not be sent.
	tellAgain = time.Second
	// tellWithin is how long sending one may take.
	tellWithin = 2 * time.Second
)

// notices gathers what the other nodes are to be told. A notice is no part of
// the transactions it tells of: the commit of one that sends some keeps out all
// others that do, on every node, until it is durable.
type notices struct {
	mu      sync.Mutex
	waiting []Change
	wake    chan struct{}
	end     context.CancelFunc
	done    chan struct{}
}

// startNotices begins to tell what gathers.
func (d *postgresDB) startNotices() {
	ctx, end := context.WithCancel(context.Background())
	d.notices = &notices{wake: make(chan struct{}, 1), end: end, done: make(chan struct{})}
	go d.tell(ctx)
}

// close returns when all has been told.
func (n *notices) close() {
	n.end()
	<-n.done
}

func (n *notices) add(changes []Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting = append(n.waiting, changes...); len(n.waiting) > maxNotice {
		n.waiting = summarize(n.waiting)
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *notices) take() []Change {
	n.mu.Lock()
	defer n.mu.Unlock()
	changes := n.waiting
	n.waiting = nil
	return changes
}

func (d *postgresDB) ring(changes []Change) {
	if len(changes) > 0 {
		d.notices.add(changes)
	}
}

// tell sends what gathered to the other nodes, until ctx ends and then once more.
func (d *postgresDB) tell(ctx context.Context) {
	n := d.notices
	defer close(n.done)
	for pause := tellEvery; ; {
		select {
		case <-n.wake:
		case <-ctx.Done():
			if err := d.notify(n.take()); err != nil {
				d.s.log.Warn("the other nodes were not told of the last changes", "error", err)
			}
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			continue
		}
		pause = tellEvery
		changes := n.take()
		if err := d.notify(changes); err != nil {
			n.add(changes)
			pause = tellAgain
		}
	}
}

// notify sends one notice, in a commit that waits for no disk since it writes
// nothing.
func (d *postgresDB) notify(changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	text, err := json.Marshal(notice{d.s.node, changes})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellWithin)
	defer cancel()
	_, err = d.s.db.DB.ExecContext(ctx, "SELECT pg_notify('belfry', $1)", string(text))
	return err
}

// summarize keeps one change of each kind and account, without its id.
func summarize(changes []Change) []Change {
	type group struct {
		kind    string
		account uuid.UUID
	}
	index := map[group]int{}
	var short []Change
	for _, c := range changes {
		g := group{c.Kind, c.AccountID}
		i, ok := index[g]
		if !ok {
			i = len(short)
			index[g] = i
			short = append(short, Change{Kind: c.Kind, AccountID: c.AccountID})
		}
		short[i].Due = short[i].Due || c.Due
	}
	if len(short) > maxNotice {
		return []Change{{Kind: ChangeAccount, Due: true}}
	}
	return short
}

func (d *postgresDB) listen(ctx context.Context, heard func(Change)) {
	for ctx.Err() == nil {
		err := d.listenOnce(ctx, heard)
		if ctx.Err() == nil {
			d.s.log.Warn("the line to the database's notices broke; trying again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (d *postgresDB) listenOnce(ctx context.Context, heard func(Change)) error {
	conn, err := pgx.ConnectConfig(ctx, d.config.Copy())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN belfry"); err != nil {
		return err
	}
	// What was said while nobody listened is lost: look at everything.
	heard(Change{Kind: ChangeAccount, Due: true})
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		var said notice
		if json.Unmarshal([]byte(n.Payload), &said) != nil || said.Node == d.s.node {
			continue
		}
		for _, c := range said.Changes {
			heard(c)
		}
	}
}
