package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
	"belfry/worker/outbound"
)

// InboxURL is the URL of webhooks that lead to the account's test inbox.
const InboxURL = outbound.InboxURL

const (
	// InboxKept is how many requests an account's test inbox keeps, InboxBody how
	// many bytes of each body.
	InboxKept = 100
	InboxBody = 16 << 10
)

// What a test inbox answers.
const (
	InboxOK   = "200"
	InboxFail = "500"
	InboxSlow = "slow"
	InboxGone = "410"
)

// InboxDelay is how long a slow test inbox takes to answer.
const InboxDelay = 3 * time.Second

// How a request to the test inbox verified.
const (
	VerifiedBySecret = "secret"
	VerifiedByBoth   = "both" // during a rotation
	NotSigned        = "unsigned"
	NotVerified      = "mismatch"
)

// InboxRequest is one request that arrived in an account's test inbox.
type InboxRequest struct {
	ID, AccountID uuid.UUID
	WebhookID     uuid.UUID `bun:",nullzero"` // zero for a test to a free URL
	DeliveryID    uuid.UUID
	EventType     string
	Attempt       int
	Verified      string   // one of the words above
	Headers       []Header // values of custom headers are masked
	Body          []byte   // its first InboxBody bytes
	Size          int      // of the whole body
	StatusCode    int      // what the inbox answered
	CreatedAt     Time
}

type inboxRow struct {
	bun.BaseModel `bun:"table:inbox_requests,alias:i"`
	InboxRequest
}

// KeepInboxRequest keeps what arrived in a test inbox, and of the account's
// earlier requests as many as it may hold. It sets the id, the size, and when it
// came.
func (s *Store) KeepInboxRequest(ctx context.Context, r InboxRequest) error {
	now, err := s.Now(ctx)
	if err != nil {
		return err
	}
	r.ID, r.Size, r.CreatedAt = s.newID(), len(r.Body), At(now)
	r.Body = append([]byte{}, r.Body[:min(len(r.Body), InboxBody)]...)
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		if _, err := tx.NewInsert().Model(&inboxRow{InboxRequest: r}).Exec(ctx); err != nil {
			return nil, err
		}
		_, err := tx.NewRaw(`DELETE FROM inbox_requests WHERE account_id = ? AND id < (SELECT id FROM inbox_requests
			WHERE account_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, r.AccountID, r.AccountID, InboxKept-1).Exec(ctx)
		return []Change{{Kind: ChangeInbox, AccountID: r.AccountID, ID: r.ID}}, err
	})
}

// InboxRequests lists what is in the account's test inbox, newest first.
func (s *Store) InboxRequests(ctx context.Context, account uuid.UUID) ([]InboxRequest, error) {
	var rows []inboxRow
	err := s.ro.NewSelect().Model(&rows).Where("account_id = ?", account).Order("id DESC").Limit(InboxKept).Scan(ctx)
	list := make([]InboxRequest, len(rows))
	for i := range rows {
		list[i] = rows[i].InboxRequest
	}
	return list, s.wrap(err)
}

// InboxAnswer is what the account's test inbox answers: InboxOK until somebody
// chose otherwise.
func (s *Store) InboxAnswer(ctx context.Context, account uuid.UUID) (string, error) {
	var answers []string
	if err := s.ro.NewRaw("SELECT answer FROM inboxes WHERE account_id = ?", account).Scan(ctx, &answers); err != nil {
		return "", s.wrap(err)
	}
	if len(answers) == 0 {
		return InboxOK, nil
	}
	return answers[0], nil
}

// SetInboxAnswer chooses what the account's test inbox answers from now on.
func (s *Store) SetInboxAnswer(ctx context.Context, account uuid.UUID, answer string) error {
	if !slices.Contains([]string{InboxOK, InboxFail, InboxSlow, InboxGone}, answer) {
		return invalid("answer", "the inbox can answer 200, 500, slow or 410")
	}
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) ([]Change, error) {
		_, err := tx.NewRaw("INSERT INTO inboxes (account_id, answer) VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET answer = excluded.answer", account, answer).Exec(ctx)
		return []Change{{Kind: ChangeInbox, AccountID: account}}, err
	})
}

// tidyInbox forgets requests from before then, in microseconds.
func (s *Store) tidyInbox(ctx context.Context, before int64) error {
	_, err := s.db.NewRaw("DELETE FROM inbox_requests WHERE created_at <= ?", before).Exec(ctx)
	return s.wrap(err)
}

// NewestInboxRequest is the id of what arrived last; zero: nothing is there.
func (s *Store) NewestInboxRequest(ctx context.Context, account uuid.UUID) (uuid.UUID, error) {
	var ids []uuid.UUID
	err := s.ro.NewRaw("SELECT id FROM inbox_requests WHERE account_id = ? ORDER BY id DESC LIMIT 1", account).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return uuid.Nil, s.wrap(err)
	}
	return ids[0], nil
}
