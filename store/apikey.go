package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Scope is what an API key may do.
type Scope string

// The scopes; manage holds the other two.
const (
	ScopePublish Scope = "publish"
	ScopeRead    Scope = "read"
	ScopeManage  Scope = "manage"
)

// Scopes are all scopes.
func Scopes() []Scope { return []Scope{ScopePublish, ScopeRead, ScopeManage} }

// Holds says whether s allows what want allows.
func (s Scope) Holds(want Scope) bool { return s == want || s == ScopeManage }

// APIKey is a key as it is known after its making: without the key itself.
type APIKey struct {
	ID        uuid.UUID
	AccountID uuid.UUID
	Name      string
	// Hint is the last four characters.
	Hint   string
	Scopes []Scope
	// CreatedBy is the user or command that made it; may be empty.
	CreatedBy string
	CreatedAt Time
	// LastUsedAt is right to about a minute; zero: never used.
	LastUsedAt Time
	// RevokedAt is zero while the key works.
	RevokedAt Time
}

// Holds says whether one of the key's scopes allows what want allows.
func (k APIKey) Holds(want Scope) bool {
	return slices.ContainsFunc(k.Scopes, func(s Scope) bool { return s.Holds(want) })
}

type keyRow struct {
	ID         uuid.UUID `bun:"id"`
	AccountID  uuid.UUID `bun:"account_id"`
	Name       string    `bun:"name"`
	Hint       string    `bun:"hint"`
	Scopes     string    `bun:"scopes"`
	CreatedAt  Time      `bun:"created_at"`
	CreatedBy  string    `bun:"created_by,nullzero"`
	LastUsedAt Time      `bun:"last_used_at"`
	RevokedAt  Time      `bun:"revoked_at"`
}

const selectKey = "SELECT id, account_id, name, hint, scopes, created_at, created_by, last_used_at, revoked_at FROM api_keys"

func (r keyRow) key() APIKey {
	k := APIKey{
		ID: r.ID, AccountID: r.AccountID, Name: r.Name, Hint: r.Hint, CreatedBy: r.CreatedBy,
		CreatedAt: r.CreatedAt, LastUsedAt: r.LastUsedAt, RevokedAt: r.RevokedAt,
	}
	for name := range strings.SplitSeq(r.Scopes, ",") {
		k.Scopes = append(k.Scopes, Scope(name))
	}
	return k
}

// keyPrefix lets people and secret scanners recognise a key.
const keyPrefix = "bf_"

// newKey gives 32 random bytes in base 62, 43 characters after the prefix.
func newKey() string {
	var random [32]byte
	rand.Read(random[:])
	digits := new(big.Int).SetBytes(random[:]).Text(62)
	return keyPrefix + strings.Repeat("0", 43-len(digits)) + digits
}

func hashKey(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// AddKey makes a key; the key itself is given here and never again. by is the
// user or command that makes it, for the list.
func (s *Store) AddKey(ctx context.Context, accountID uuid.UUID, name string, scopes []Scope, by string) (key string, k APIKey, err error) {
	name, by = strings.TrimSpace(name), strings.TrimSpace(by)
	clean, f := checkKey(name, scopes)
	if err := f.err(); err != nil {
		return "", APIKey{}, err
	}
	key = newKey()
	hash := hashKey(key)
	row := keyRow{ID: s.newID(), AccountID: accountID, Name: name, Hint: key[len(key)-4:], Scopes: clean, CreatedBy: by}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		if _, err := s.account(ctx, tx, accountID); err != nil {
			return nil, err
		}
		return []Change{accountChanged(accountID)}, tx.NewRaw(`INSERT INTO api_keys (id, account_id, name, hash, hint, scopes, created_at, created_by)
			VALUES (?, ?, ?, ?, ?, ?, `+s.nowSQL()+`, nullif(?, ''))
			RETURNING created_at`, row.ID, accountID, name, hash[:], row.Hint, clean, by).Scan(ctx, &row.CreatedAt)
	})
	if err != nil {
		return "", APIKey{}, err
	}
	return key, row.key(), nil
}

// checkKey gives the scopes as they are kept, each once and in our order.
func checkKey(name string, scopes []Scope) (string, faults) {
	var f faults
	switch {
	case name == "":
		f.add("name", "give the key a name that says who uses it")
	case !isText(name) || strings.ContainsAny(name, "\r\n"):
		f.add("name", "must be one line of text")
	case utf8.RuneCountInString(name) > 100:
		f.add("name", "must have at most 100 characters")
	}
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			f.add("scopes", fmt.Sprintf("%q is not a scope; use publish, read or manage", string(scope)))
		}
	}
	if len(scopes) == 0 {
		f.add("scopes", "choose at least one of publish, read and manage")
	}
	var clean []string
	for _, scope := range Scopes() {
		if slices.Contains(scopes, scope) {
			clean = append(clean, string(scope))
		}
	}
	return strings.Join(clean, ","), f
}

// Keys gives the keys of an account, the newest first, revoked ones too.
func (s *Store) Keys(ctx context.Context, accountID uuid.UUID) ([]APIKey, error) {
	var rows []keyRow
	if err := s.ro.NewRaw(selectKey+" WHERE account_id = ? ORDER BY id DESC", accountID).Scan(ctx, &rows); err != nil {
		return nil, s.wrap(err)
	}
	keys := make([]APIKey, len(rows))
	for i, row := range rows {
		keys[i] = row.key()
	}
	return keys, nil
}

// RevokeKey makes a key worthless on every node within a second, for good.
// CodeNotFound where the account has no such key; one revoked before is no
// error. by is for the log.
func (s *Store) RevokeKey(ctx context.Context, accountID, id uuid.UUID, by string) error {
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		res, err := tx.NewRaw("UPDATE api_keys SET revoked_at = coalesce(revoked_at, "+s.nowSQL()+") WHERE account_id = ? AND id = ?", accountID, id).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return nil, orError(err, notFound())
		}
		return []Change{accountChanged(accountID)}, nil
	})
	if err == nil {
		s.keys.drop(accountID)
		s.log.InfoContext(ctx, "api key revoked", "account", accountID, "key", id, "by", by)
	}
	return err
}

// KeyByToken gives the key whose text this is; CodeNotFound where there is
// none or it is revoked. It is asked at every API request, so answers are kept
// for a second.
func (s *Store) KeyByToken(ctx context.Context, token string) (APIKey, error) {
	hash := hashKey(token)
	if k, ok := s.keys.get(hash); ok {
		return k, nil
	}
	var row keyRow
	if err := s.ro.NewRaw(selectKey+" WHERE hash = ? AND revoked_at IS NULL", hash[:]).Scan(ctx, &row); err != nil {
		return APIKey{}, s.wrap(err)
	}
	k := row.key()
	s.keys.put(hash, k)
	return k, nil
}
