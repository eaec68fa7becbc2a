package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// welcomeSetting holds the first-run codes until there is a user.
const welcomeSetting = "welcome"

const (
	// welcomeCodes is how many codes work side by side: each node that is
	// started prints one of its own.
	welcomeCodes = 5
	// welcomeTries is how many wrong codes make all of them worthless.
	welcomeTries = 5
)

// welcome is what is kept: hashes of the codes, the newest last, and how often
// a wrong one was tried.
type welcome struct {
	Hashes []string `json:"hashes"`
	Tries  int      `json:"tries"`
}

// WrongCode is the cause of the error that CreateFirstOwner gives for a wrong
// code; errors.As finds it.
type WrongCode struct {
	// NewCode takes the place of all codes after too many wrong tries, to be
	// printed where the program was started; empty until then.
	NewCode string
}

func (w *WrongCode) Error() string { return "wrong first-run code" }

// WelcomeCode makes a code with which the first owner can be made, to be
// printed where the program was started. The codes of the last few starts keep
// working, so that several nodes can each print theirs. open is false, and the
// code empty, once there is a user.
func (s *Store) WelcomeCode(ctx context.Context) (code string, open bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		code, open = "", false
		if any, err := s.anyUser(ctx, tx); err != nil || any {
			return nil, err
		}
		if err := s.keepSetting(ctx, tx, welcomeSetting, "{}"); err != nil {
			return nil, err
		}
		w, err := s.lockWelcome(ctx, tx)
		if err != nil {
			return nil, err
		}
		code, open = w.add(), true
		return nil, s.setWelcome(ctx, tx, w)
	})
	return code, open, err
}

// CreateFirstOwner makes the owner of the first account, given a code that
// WelcomeCode printed. Once any user exists it is CodeNotFound; of two calls at
// once one wins. A wrong code is CodeInvalid with a *WrongCode inside.
func (s *Store) CreateFirstOwner(ctx context.Context, code, email, password string) (User, error) {
	if any, err := s.AnyUser(ctx); err != nil || any {
		return User{}, orError(err, notFound())
	}
	account, err := s.EnsureDefaultAccount(ctx)
	if err != nil {
		return User{}, err
	}
	u := User{ID: s.newID(), AccountID: account.ID, Email: normalEmail(email), Role: RoleOwner}
	var bad faults // in the order of the form
	if strings.TrimSpace(code) == "" {
		bad.add("code", "enter the code that was printed where Belfry was started")
	}
	bad = append(bad, u.check(password)...)
	if err := bad.err(); err != nil {
		return User{}, err
	}
	hash, err := s.people.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	if err := s.redeemWelcome(ctx, code, &u, hash); err != nil {
		return User{}, err
	}
	return u, nil
}

// redeemWelcome trades a code for a user, or counts the wrong try: that commits
// too, so its error is kept outside of the transaction.
func (s *Store) redeemWelcome(ctx context.Context, code string, u *User, hash string) error {
	var wrong *Error
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		wrong = nil
		w, err := s.lockWelcome(ctx, tx)
		if err != nil {
			return nil, err
		}
		if any, err := s.anyUser(ctx, tx); err != nil || any {
			return nil, orError(err, notFound())
		}
		if !w.fits(code) {
			wrong = w.miss()
			return nil, s.setWelcome(ctx, tx, w)
		}
		if _, err := tx.NewRaw("DELETE FROM settings WHERE name = ?", welcomeSetting).Exec(ctx); err != nil {
			return nil, err
		}
		return []Change{accountChanged(u.AccountID)}, s.insertUser(ctx, tx, u, hash)
	})
	if err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return nil
}

// lockWelcome reads the codes and holds off everybody else who wants them;
// CodeNotFound where there are none.
func (s *Store) lockWelcome(ctx context.Context, tx bun.Tx) (*welcome, error) {
	var value string
	err := tx.NewRaw("SELECT value FROM settings WHERE name = ?"+s.d.forUpdate(), welcomeSetting).Scan(ctx, &value)
	if err != nil {
		return nil, s.wrap(err)
	}
	var w welcome
	if err := json.Unmarshal([]byte(value), &w); err != nil {
		return nil, fmt.Errorf("read the first-run codes: %w", err)
	}
	return &w, nil
}

func (s *Store) setWelcome(ctx context.Context, tx bun.Tx, w *welcome) error {
	value, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return s.setSetting(ctx, tx, welcomeSetting, string(value))
}

// add makes a code, dropping the oldest beyond welcomeCodes.
func (w *welcome) add() string {
	code := newWelcomeCode()
	w.Hashes = append(w.Hashes, hashWelcome(code))
	w.Hashes = w.Hashes[max(0, len(w.Hashes)-welcomeCodes):]
	return code
}

func (w *welcome) fits(code string) bool {
	hash := hashWelcome(code)
	return slices.ContainsFunc(w.Hashes, func(kept string) bool {
		return subtle.ConstantTimeCompare([]byte(kept), []byte(hash)) == 1
	})
}

// miss counts a wrong try; the last one replaces all codes by a new one.
func (w *welcome) miss() *Error {
	w.Tries++
	wrong, detail := &WrongCode{}, "this is not the code; it was printed where the program was started"
	if w.Tries >= welcomeTries {
		*w = welcome{}
		wrong.NewCode = w.add()
		detail = "this is not the code, and it was wrong too often: a new code is printed where the program was started"
	}
	e := invalid("code", detail)
	e.Cause = wrong
	return e
}

// crockford is Crockford's base 32: no I, L, O or U to be misread.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newWelcomeCode gives 80 random bits as XXXX-XXXX-XXXX-XXXX.
func newWelcomeCode() string {
	var random [16]byte
	rand.Read(random[:])
	var code strings.Builder
	for i, b := range random {
		if i > 0 && i%4 == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(crockford[b&31])
	}
	return code.String()
}

// hashWelcome forgives small letters, spaces, missing dashes and the letters
// that Crockford's alphabet leaves out because they look like digits.
func hashWelcome(code string) string {
	code = strings.NewReplacer("-", "", " ", "", "\t", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// NewWelcomeCode gives the code that took the place of the others, if err says
// that there is one; it must be printed where the program was started.
func NewWelcomeCode(err error) (code string, ok bool) {
	var wrong *WrongCode
	if errors.As(err, &wrong) && wrong.NewCode != "" {
		return wrong.NewCode, true
	}
	return "", false
}
