package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// callKey is an account's idempotency key.
type callKey struct {
	account uuid.UUID
	key     string
}

func (c *publishCall) key() callKey { return callKey{c.AccountID, c.IdempotencyKey} }

// hash tells one call from another by what it asks for, so that space and the
// order of members make no difference outside of data. Without a key it is nil.
func (p *Publication) hash() []byte {
	if p.IdempotencyKey == "" {
		return nil
	}
	hash, line := sha256.New(), make([]byte, 0, 128)
	fmt.Fprintf(hash, "batch %t\n", p.Batch)
	for i := range p.Events {
		e := &p.Events[i]
		line = strconv.AppendQuote(line[:0], e.Type)
		line = strconv.AppendQuote(append(line, ' '), e.AgentID)
		line = strconv.AppendInt(append(line, ' '), e.Timestamp.UnixNano(), 10)
		hash.Write(append(line, ' '))
		hash.Write(e.Data)
		hash.Write([]byte{'\n'})
	}
	return hash.Sum(nil)
}

// answerRow is what a call under an idempotency key was answered.
type answerRow struct {
	callKey
	requestHash, answer []byte
}

// answersOf finds the answers that the keys of these calls got before, by the end
// of the transaction's next query. Of two calls at once on two nodes, the later
// one's answer is found to be a duplicate.
func (s *Store) answersOf(ctx context.Context, tx bun.Tx, calls []*publishCall) (map[callKey]*answerRow, error) {
	keys := map[uuid.UUID][]string{}
	for _, c := range calls {
		if c.IdempotencyKey != "" {
			keys[c.AccountID] = append(keys[c.AccountID], c.IdempotencyKey)
		}
	}
	answers := map[callKey]*answerRow{}
	for account, list := range keys {
		read := func(scan scanner) error {
			row := answerRow{callKey: callKey{account: account}}
			if err := scan(&row.key, &row.requestHash, &row.answer); err != nil {
				return err
			}
			answers[row.callKey] = &row
			return nil
		}
		if err := s.d.ask(ctx, tx, read, s.d.answersSQL(), account, s.d.list(list)); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// replay answers a call whose key was used before.
func (c *publishCall) replay(before *answerRow) error {
	if !bytes.Equal(before.requestHash, c.requestHash) {
		c.err = conflict("this idempotency key was used for another request; use a new key for a new request")
		return nil
	}
	c.replayed = true
	return json.Unmarshal(before.answer, &c.accepted)
}
