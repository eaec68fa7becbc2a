package store

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Account is a tenant: it owns everything else.
type Account struct {
	ID   uuid.UUID
	Name string
	// HeaderPrefix begins the names of the headers that Belfry sends, without
	// the dash: "X-Webhook". It is the account's own or else the default.
	HeaderPrefix string
	// Limits are those that hold: the account's own over the defaults.
	Limits Limits
	// Overrides are the account's own limits alone.
	Overrides AccountLimits
	CreatedAt Time
}

// DefaultAccountName is the name of the account made at the first start.
const DefaultAccountName = "default"

// accountRow is an account as it is kept.
type accountRow struct {
	ID           uuid.UUID `bun:"id"`
	Name         string    `bun:"name"`
	HeaderPrefix string    `bun:"header_prefix,nullzero"`
	Limits       string    `bun:"limits"`
	CreatedAt    Time      `bun:"created_at"`
}

const selectAccount = "SELECT id, name, header_prefix, limits, created_at FROM accounts"

// resolveAccount fills in what a row leaves to the defaults.
func (s *Store) resolveAccount(row accountRow) (Account, error) {
	own, err := parseAccountLimits(row.Limits)
	if err != nil {
		return Account{}, err
	}
	a := Account{
		ID: row.ID, Name: row.Name, HeaderPrefix: row.HeaderPrefix,
		Limits: s.opt.Limits.with(own), Overrides: own, CreatedAt: row.CreatedAt,
	}
	if a.HeaderPrefix == "" {
		a.HeaderPrefix = s.opt.HeaderPrefix
	}
	return a, nil
}

func (s *Store) accountWhere(ctx context.Context, db bun.IDB, where string, args ...any) (Account, error) {
	var row accountRow
	if err := db.NewRaw(selectAccount+" "+where, args...).Scan(ctx, &row); err != nil {
		return Account{}, s.wrap(err)
	}
	return s.resolveAccount(row)
}

// Account gives one account; CodeNotFound where there is none.
func (s *Store) Account(ctx context.Context, id uuid.UUID) (Account, error) {
	return s.account(ctx, s.ro, id)
}

func (s *Store) account(ctx context.Context, db bun.IDB, id uuid.UUID) (Account, error) {
	return s.accountWhere(ctx, db, "WHERE id = ?", id)
}

// AccountByName gives the account of that name, or for an empty name the first
// account there was; CodeNotFound where there is none.
func (s *Store) AccountByName(ctx context.Context, name string) (Account, error) {
	if name == "" {
		return s.accountWhere(ctx, s.ro, "ORDER BY created_at, id LIMIT 1")
	}
	a, err := s.accountWhere(ctx, s.ro, "WHERE name = ?", name)
	if IsCode(err, CodeNotFound) {
		return a, &Error{Code: CodeNotFound, Detail: fmt.Sprintf("there is no account %q", name)}
	}
	return a, err
}

// Accounts gives all accounts, the oldest first.
func (s *Store) Accounts(ctx context.Context) ([]Account, error) {
	var rows []accountRow
	if err := s.ro.NewRaw(selectAccount+" ORDER BY created_at, id").Scan(ctx, &rows); err != nil {
		return nil, s.wrap(err)
	}
	accounts := make([]Account, len(rows))
	for i, row := range rows {
		var err error
		if accounts[i], err = s.resolveAccount(row); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// EnsureDefaultAccount gives the first account, made on the spot where there is
// none. Several processes may call it at once: all get the same account.
func (s *Store) EnsureDefaultAccount(ctx context.Context) (Account, error) {
	a, err := s.AccountByName(ctx, "")
	if !IsCode(err, CodeNotFound) {
		return a, err
	}
	a, err = s.AddAccount(ctx, DefaultAccountName)
	if IsCode(err, CodeConflict) {
		return s.AccountByName(ctx, "")
	}
	return a, err
}

// accountName keeps to what can stand in an entry of -allow-targets, before "=".
var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// AddAccount makes an account with the default limits. Names are 1–64 small
// letters, digits, ".", "_" and "-", a letter or digit first; CodeConflict
// where the name is taken.
func (s *Store) AddAccount(ctx context.Context, name string) (Account, error) {
	if !accountName.MatchString(name) {
		return Account{}, invalid("name", `use 1 to 64 small letters, digits, ".", "_" and "-", beginning with a letter or digit`)
	}
	id := s.newID()
	err := s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		return []Change{accountChanged(id)}, s.insertAccount(ctx, tx, id, name)
	})
	if err != nil {
		return Account{}, err
	}
	return s.account(ctx, s.db, id)
}

// insertAccount writes the account with its state and the queue of its tests,
// whose id is the account's.
func (s *Store) insertAccount(ctx context.Context, tx bun.Tx, id uuid.UUID, name string) error {
	res, err := tx.NewRaw(`INSERT INTO accounts (id, name, created_at) VALUES (?, ?, `+s.nowSQL()+`)
		ON CONFLICT (name) DO NOTHING`, id, name).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return orError(err, conflict(fmt.Sprintf("there is an account %q already", name)))
	}
	if _, err := tx.NewRaw("INSERT INTO account_states (account_id) VALUES (?)", id).Exec(ctx); err != nil {
		return err
	}
	_, err = tx.NewRaw("INSERT INTO queues (id, account_id) VALUES (?, ?)", id, id).Exec(ctx)
	return err
}

// orError is err, or ours where there is none.
func orError(err error, ours *Error) error {
	if err != nil {
		return err
	}
	return ours
}

// SetAccountLimits sets an account's own limits; those left nil fall back to
// the defaults. It governs every node within a second.
func (s *Store) SetAccountLimits(ctx context.Context, id uuid.UUID, own AccountLimits) error {
	if err := own.check(); err != nil {
		return err
	}
	text, err := json.Marshal(own)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, id, "UPDATE accounts SET limits = ? WHERE id = ?", string(text), id)
}

// headerToken is a token of RFC 9110 §5.6.2 without what no header's name uses.
var headerToken = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$`)

// CheckHeaderPrefix says whether prefix may begin header names: 1–64 letters,
// digits, "-" and "_". A bare "webhook" would clash with the headers of
// Standard Webhooks.
func CheckHeaderPrefix(prefix string) error {
	if strings.EqualFold(prefix, "webhook") {
		return invalid("header_prefix", `"webhook" alone would clash with webhook-id and webhook-signature; use one such as X-Webhook`)
	}
	if !headerToken.MatchString(prefix) {
		return invalid("header_prefix", `use 1 to 64 letters, digits, "-" and "_", such as X-Webhook, with a letter or digit at both ends`)
	}
	return nil
}

// SetHeaderPrefix sets how the names of an account's headers begin; empty
// means the default. It governs every node within a second.
func (s *Store) SetHeaderPrefix(ctx context.Context, id uuid.UUID, prefix string) error {
	if prefix != "" {
		if err := CheckHeaderPrefix(prefix); err != nil {
			return err
		}
	}
	return s.changeAccount(ctx, id, "UPDATE accounts SET header_prefix = nullif(?, '') WHERE id = ?", prefix, id)
}

// changeAccount runs an update of one account, which every node must notice.
func (s *Store) changeAccount(ctx context.Context, id uuid.UUID, query string, args ...any) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		res, err := tx.NewRaw(query, args...).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return nil, orError(err, notFound())
		}
		return []Change{accountChanged(id)}, bump(ctx, tx, id)
	})
}

func accountChanged(id uuid.UUID) Change { return Change{Kind: ChangeAccount, AccountID: id} }
