package store

import (
	"context"
	"crypto/rand"
	"regexp"
	"time"

	"belfry/store/uuid"
)

const (
	// formTokenKept is how long the first answer to a form is remembered.
	formTokenKept = day
	// formTokenWait is how long the second of two at once waits for the first.
	formTokenWait = 5 * time.Second
	formTokenPoll = 25 * time.Millisecond
)

// NewFormToken gives a token that makes one form count once.
func NewFormToken() string { return rand.Text() }

var formToken = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// UseFormToken says whether this is the first time that the user sends the form
// with this token. If so, the caller does the work and ends with
// AnswerFormToken or, where nothing was done, ReleaseFormToken. If not, it gives
// where the first answer led; while that is still being made it waits for some
// seconds, and then gives CodeConflict.
func (s *Store) UseFormToken(ctx context.Context, userID uuid.UUID, token string) (firstLocation string, first bool, err error) {
	if !formToken.MatchString(token) {
		return "", false, invalid("token", "the form is damaged; load the page again")
	}
	deadline := time.After(formTokenWait)
	tick := time.NewTicker(formTokenPoll)
	defer tick.Stop()
	for {
		if first, err = s.takeFormToken(ctx, userID, token); first || err != nil {
			return "", first, err
		}
		if location, err := s.formAnswer(ctx, userID, token); location != "" || err != nil {
			return location, false, err
		}
		select {
		case <-ctx.Done():
			return "", false, ctx.Err()
		case <-deadline:
			return "", false, conflict("this form was sent already and is still being worked on; look at the list before you send it again")
		case <-tick.C:
		}
	}
}

func (s *Store) takeFormToken(ctx context.Context, userID uuid.UUID, token string) (first bool, err error) {
	res, err := s.db.NewRaw(`INSERT INTO form_tokens (token, user_id, location, created_at)
		VALUES (?, ?, '', `+s.nowSQL()+`) ON CONFLICT (token) DO NOTHING`, token, userID).Exec(ctx)
	if err != nil {
		return false, s.wrap(err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// formAnswer is where the first answer led, empty while there is none.
func (s *Store) formAnswer(ctx context.Context, userID uuid.UUID, token string) (string, error) {
	var kept struct {
		UserID   uuid.UUID `bun:"user_id"`
		Location string    `bun:"location"`
	}
	err := s.wrap(s.ro.NewRaw("SELECT user_id, location FROM form_tokens WHERE token = ?", token).Scan(ctx, &kept))
	if IsCode(err, CodeNotFound) {
		return "", nil // released a moment ago: it can be taken again
	}
	if err == nil && kept.UserID != userID {
		return "", invalid("token", "the form belongs to another sign-in; load the page again")
	}
	return kept.Location, err
}

// AnswerFormToken keeps where the answer to the form leads, for whoever sends
// the same form again.
func (s *Store) AnswerFormToken(ctx context.Context, token, location string) error {
	_, err := s.db.NewRaw("UPDATE form_tokens SET location = ? WHERE token = ? AND location = ''", location, token).Exec(ctx)
	return s.wrap(err)
}

// ReleaseFormToken lets the form be sent again: its input was refused and
// nothing was done. An answered token stays answered.
func (s *Store) ReleaseFormToken(ctx context.Context, token string) error {
	_, err := s.db.NewRaw("DELETE FROM form_tokens WHERE token = ? AND location = ''", token).Exec(ctx)
	return s.wrap(err)
}

// tidyFormTokens forgets the forms sent a day before now, in microseconds.
func (s *Store) tidyFormTokens(ctx context.Context, now int64) error {
	_, err := s.db.NewRaw("DELETE FROM form_tokens WHERE created_at <= ?", now-formTokenKept.Microseconds()).Exec(ctx)
	return s.wrap(err)
}
