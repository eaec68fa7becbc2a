package store

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// Role says what a person may do in their account.
type Role string

// The roles: the owner may do everything, an admin all but people and the
// account itself, a viewer reads.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleViewer Role = "viewer"
)

// Valid says whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleOwner || r == RoleAdmin || r == RoleViewer }

// CanRead says whether r may look at the pages of the account.
func (r Role) CanRead() bool { return r.Valid() }

// CanEdit says whether r may change webhooks, event types and API keys, and
// resend deliveries.
func (r Role) CanEdit() bool { return r == RoleOwner || r == RoleAdmin }

// CanTest says whether r may send tests.
func (r Role) CanTest() bool { return r.CanEdit() }

// CanExport says whether r may take data out as a file.
func (r Role) CanExport() bool { return r.CanEdit() }

// CanManagePeople says whether r may invite people and change their roles.
func (r Role) CanManagePeople() bool { return r == RoleOwner }

// CanManageAccount says whether r may change the account itself.
func (r Role) CanManageAccount() bool { return r == RoleOwner }

// User is a person who signs in to one account.
type User struct {
	ID        uuid.UUID `bun:"id"`
	AccountID uuid.UUID `bun:"account_id"`
	// Email is in small letters, and of one user only in the installation.
	Email     string `bun:"email"`
	Role      Role   `bun:"role"`
	CreatedAt Time   `bun:"created_at"`
}

const selectUser = "SELECT id, account_id, email, role, created_at FROM users"

// User gives one user; CodeNotFound where there is none.
func (s *Store) User(ctx context.Context, id uuid.UUID) (User, error) {
	var u User
	err := s.ro.NewRaw(selectUser+" WHERE id = ?", id).Scan(ctx, &u)
	return u, s.wrap(err)
}

// Users gives the people of an account in the order they joined.
func (s *Store) Users(ctx context.Context, accountID uuid.UUID) ([]User, error) {
	var users []User
	err := s.ro.NewRaw(selectUser+" WHERE account_id = ? ORDER BY created_at, id", accountID).Scan(ctx, &users)
	return users, s.wrap(err)
}

// AnyUser says whether anybody at all can sign in, in any account.
func (s *Store) AnyUser(ctx context.Context) (bool, error) { return s.anyUser(ctx, s.ro) }

func (s *Store) anyUser(ctx context.Context, db bun.IDB) (bool, error) {
	var any bool
	err := db.NewRaw("SELECT EXISTS (SELECT 1 FROM users)").Scan(ctx, &any)
	return any, s.wrap(err)
}

// AddUser makes a user who can sign in at once. CodeInvalid names what is
// wrong with the input; CodeConflict says that the email is taken.
func (s *Store) AddUser(ctx context.Context, accountID uuid.UUID, email string, role Role, password string) (User, error) {
	u := User{ID: s.newID(), AccountID: accountID, Email: normalEmail(email), Role: role}
	if err := u.check(password).err(); err != nil {
		return User{}, err
	}
	hash, err := s.people.hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		// The first-run code dies with the first user.
		if _, err := tx.NewRaw("DELETE FROM settings WHERE name = ?", welcomeSetting).Exec(ctx); err != nil {
			return nil, err
		}
		return []Change{accountChanged(accountID)}, s.insertUser(ctx, tx, &u, hash)
	})
	return u, err
}

func (u User) check(password string) faults {
	var f faults
	if detail := emailFault(u.Email); detail != "" {
		f.add("email", detail)
	}
	if !u.Role.Valid() {
		f.add("role", "must be owner, admin or viewer")
	}
	if detail := passwordFault(password, u.Email); detail != "" {
		f.add("password", detail)
	}
	return f
}

func (s *Store) insertUser(ctx context.Context, tx bun.Tx, u *User, hash string) error {
	var exists bool
	if err := tx.NewRaw("SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)", u.AccountID).Scan(ctx, &exists); err != nil {
		return err
	}
	if !exists {
		return &Error{Code: CodeNotFound, Detail: "there is no such account"}
	}
	err := tx.NewRaw(`INSERT INTO users (id, account_id, email, password_hash, role, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, `+s.nowSQL()+`, `+s.nowSQL()+`)
		ON CONFLICT (email) DO NOTHING
		RETURNING created_at`, u.ID, u.AccountID, u.Email, hash, string(u.Role)).Scan(ctx, &u.CreatedAt)
	if err = s.wrap(err); IsCode(err, CodeNotFound) {
		return conflict(fmt.Sprintf("there is a user %s already", u.Email))
	}
	return err
}

// errSignIn is the one answer to a wrong email and to a wrong password.
func errSignIn() *Error { return &Error{Code: CodeInvalid, Detail: "email or password is wrong"} }

// Authenticate gives the user whose email and password these are. A wrong pair
// is CodeInvalid without fields, after the same work whether or not there is
// such a user.
func (s *Store) Authenticate(ctx context.Context, email, password string) (User, error) {
	var kept struct {
		User
		PasswordHash string `bun:"password_hash"`
	}
	kept.PasswordHash = s.people.decoy
	email = normalEmail(email)
	known := false
	if emailFault(email) == "" {
		err := s.wrap(s.ro.NewRaw(`SELECT id, account_id, email, role, created_at, password_hash
			FROM users WHERE email = ?`, email).Scan(ctx, &kept))
		if err != nil && !IsCode(err, CodeNotFound) {
			return User{}, err
		}
		known = err == nil
	}
	fits, stale, err := s.people.verify(ctx, kept.PasswordHash, password)
	if err != nil {
		return User{}, err
	}
	if !fits || !known {
		return User{}, errSignIn()
	}
	if stale {
		s.rehash(ctx, kept.ID, kept.PasswordHash, password)
	}
	return kept.User, nil
}

// rehash brings a password's hash to today's parameters. It may fail: the old
// hash goes on serving.
func (s *Store) rehash(ctx context.Context, id uuid.UUID, old, password string) {
	hash, err := s.people.hash(ctx, password)
	if err == nil {
		_, err = s.db.NewRaw("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", hash, id, old).Exec(ctx)
	}
	if err != nil {
		s.log.WarnContext(ctx, "password not hashed anew", "user", id, "error", err)
	}
}

// ResetPassword gives a user a new password and ends all their sessions.
// CodeNotFound where nobody has this email.
func (s *Store) ResetPassword(ctx context.Context, email, password string) error {
	email = normalEmail(email)
	if detail := passwordFault(password, email); detail != "" {
		return invalid("password", detail)
	}
	if emailFault(email) != "" {
		return noSuchUser(email)
	}
	hash, err := s.people.hash(ctx, password)
	if err != nil {
		return err
	}
	defer s.sessionsEnded.Add(1)
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		var id uuid.UUID
		err := s.wrap(tx.NewRaw("UPDATE users SET password_hash = ?, updated_at = "+s.nowSQL()+" WHERE email = ? RETURNING id", hash, email).Scan(ctx, &id))
		if IsCode(err, CodeNotFound) {
			return nil, noSuchUser(email)
		}
		if err != nil {
			return nil, err
		}
		return nil, endSessions(ctx, tx, id)
	})
}

func noSuchUser(email string) *Error {
	return &Error{Code: CodeNotFound, Detail: fmt.Sprintf("there is no user with the email %q", email)}
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// emailFault says what to mend about an address, empty when it is fine. 254
// bytes is what fits in an SMTP path (RFC 5321 §4.5.3.1.3).
func emailFault(email string) string {
	switch parsed, err := mail.ParseAddress(email); {
	case email == "":
		return "enter an email address"
	case err != nil, parsed.Address != email, !isText(email), strings.ContainsAny(email, " \"<>"):
		return "must be an email address such as mira@example.com"
	case len(email) > 254:
		return "must be at most 254 characters"
	}
	return ""
}

// isText says whether both databases can keep s as it is: valid UTF-8 without
// NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
