package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// SessionStore keeps browser sessions: encrypted, under the hash of an id that
// only the browser knows.
type SessionStore struct{ s *Store }

// Sessions gives the sessions of this installation.
func (s *Store) Sessions() *SessionStore { return &SessionStore{s} }

// Load gives what was saved and until when it holds; nil where there is no such
// session or its time is over.
func (k *SessionStore) Load(ctx context.Context, idHash []byte) (data []byte, expires time.Time, err error) {
	var kept struct {
		Data      []byte `bun:"data"`
		ExpiresAt Time   `bun:"expires_at"`
	}
	err = k.s.wrap(k.s.ro.NewRaw("SELECT data, expires_at FROM sessions WHERE id_hash = ? AND expires_at > "+k.s.nowSQL(), idHash).Scan(ctx, &kept))
	if IsCode(err, CodeNotFound) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	data, err = k.s.seal.open(sessionPlace(idHash), kept.Data)
	return data, kept.ExpiresAt.Time, err
}

// Save writes a session over the one with the same id. userID is who is signed
// in, nil for nobody: EndSessions finds the session by it.
func (k *SessionStore) Save(ctx context.Context, idHash []byte, userID *uuid.UUID, data []byte, expires time.Time) error {
	if data == nil {
		data = []byte{}
	}
	var user any
	if userID != nil {
		user = *userID
	}
	_, err := k.s.db.NewRaw(`INSERT INTO sessions (id_hash, user_id, data, created_at, expires_at)
		VALUES (?, ?, ?, `+k.s.nowSQL()+`, ?)
		ON CONFLICT (id_hash) DO UPDATE
		SET user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at`,
		idHash, user, k.s.seal.close(sessionPlace(idHash), data), At(expires)).Exec(ctx)
	return k.s.wrap(err)
}

// Delete ends one session; one that is not there is no error.
func (k *SessionStore) Delete(ctx context.Context, idHash []byte) error {
	_, err := k.s.db.NewRaw("DELETE FROM sessions WHERE id_hash = ?", idHash).Exec(ctx)
	k.s.sessionsEnded.Add(1)
	return k.s.wrap(err)
}

// sessionPlace binds the data to its id: one session's can't be put in place
// of another's.
func sessionPlace(idHash []byte) string { return "session " + string(idHash) }

// EndSessions signs a user out everywhere.
func (s *Store) EndSessions(ctx context.Context, userID uuid.UUID) error {
	defer s.sessionsEnded.Add(1)
	return s.wrap(endSessions(ctx, s.db, userID))
}

// SessionsEnded grows with every session that this process ended: what lasts
// looks at its own session then. Those that another process ended don't count.
func (s *Store) SessionsEnded() int64 { return s.sessionsEnded.Load() }

func endSessions(ctx context.Context, db bun.IDB, userID uuid.UUID) error {
	_, err := db.NewRaw("DELETE FROM sessions WHERE user_id = ?", userID).Exec(ctx)
	return err
}

// tidySessions removes the sessions that were over at now, in microseconds.
func (s *Store) tidySessions(ctx context.Context, now int64) error {
	_, err := s.db.NewRaw("DELETE FROM sessions WHERE expires_at <= ?", now).Exec(ctx)
	return s.wrap(err)
}
