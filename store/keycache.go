package store

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

const (
	// keyFresh is how long a key is believed without asking the database.
	keyFresh = time.Second
	// keyUseEvery is how often the use of one key is written down.
	keyUseEvery = time.Minute
	// maxCachedKeys bounds the cache; beyond it everything is read anew.
	maxCachedKeys = 10_000
)

// keyCache holds the keys in use, and gathers when they were used: that is
// written by run, not by the requests.
type keyCache struct {
	mu   sync.Mutex
	keys map[[sha256.Size]byte]cachedKey
	// noted is when the last use of a key was noted, used what of that is still
	// to be written.
	noted map[uuid.UUID]time.Time
	used  map[uuid.UUID]struct{}
	wake  chan struct{}
	done  chan struct{}
}

type cachedKey struct {
	key    APIKey
	readAt time.Time
}

func newKeyCache() *keyCache {
	return &keyCache{
		keys:  map[[sha256.Size]byte]cachedKey{},
		noted: map[uuid.UUID]time.Time{},
		used:  map[uuid.UUID]struct{}{},
		wake:  make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
}

func (c *keyCache) get(hash [sha256.Size]byte) (APIKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.keys[hash]
	if !ok || time.Since(kept.readAt) >= keyFresh {
		return APIKey{}, false
	}
	c.note(kept.key.ID)
	return kept.key, true
}

func (c *keyCache) put(hash [sha256.Size]byte, k APIKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= maxCachedKeys {
		clear(c.keys)
		clear(c.noted)
	}
	c.keys[hash] = cachedKey{k, time.Now()}
	c.note(k.ID)
}

// note remembers a use, unless one was noted in the last minute.
func (c *keyCache) note(id uuid.UUID) {
	if last, ok := c.noted[id]; ok && time.Since(last) < keyUseEvery {
		return
	}
	c.noted[id] = time.Now()
	c.used[id] = struct{}{}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// drop forgets the keys of one account.
func (c *keyCache) drop(accountID uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for hash, kept := range c.keys {
		if kept.key.AccountID == accountID {
			delete(c.keys, hash)
		}
	}
}

func (c *keyCache) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.keys)
}

// takeUsed gives the keys whose use is to be written, in order, so that two
// nodes writing the same ones can't lock each other out.
func (c *keyCache) takeUsed() []uuid.UUID {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]uuid.UUID, 0, len(c.used))
	for id := range c.used {
		ids = append(ids, id)
	}
	clear(c.used)
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// giveBack takes ids that could not be written; they go with the next ones.
func (c *keyCache) giveBack(ids []uuid.UUID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		c.used[id] = struct{}{}
	}
}

// runKeys forgets keys when their account changes and writes down their use,
// until ctx ends; what is left then is written before done is closed.
func (s *Store) runKeys(ctx context.Context) {
	defer close(s.keys.done)
	changes := s.Changes(func(c Change) bool { return c.Kind == ChangeAccount })
	defer changes.Close()
	for {
		select {
		case c := <-changes.C:
			s.keys.drop(c.AccountID)
		case <-changes.Lost:
			s.keys.dropAll()
		case <-s.keys.wake:
			s.writeKeyUse(ctx)
		case <-ctx.Done():
			s.writeKeyUse(ctx)
			return
		}
	}
}

// writeKeyUse writes the uses that gathered, in one commit that the end of ctx
// does not break off. What can't be written is only logged: the next use brings
// it again.
func (s *Store) writeKeyUse(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	ids := s.keys.takeUsed()
	if len(ids) == 0 {
		return
	}
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		for _, id := range ids {
			if _, err := tx.NewRaw("UPDATE api_keys SET last_used_at = "+s.nowSQL()+" WHERE id = ?", id).Exec(ctx); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		s.keys.giveBack(ids)
		s.log.WarnContext(ctx, "use of api keys not written", "keys", len(ids), "error", err)
	}
}
