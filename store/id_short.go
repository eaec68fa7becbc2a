package store

import (
	"context"
	"strings"

	"github.com/google/uuid"
)

// shortID is a part of an id that somebody typed or copied: how it begins, and
// where pages shortened it ("01a20187…6f50") how it ends.
type shortID struct {
	first, last uuid.UUID // of the ids that begin so
	end         string
}

// shortest is how much of an id is taken for one.
const shortest = 8

// parseShortID reads the beginning of an id, 8 hexadecimal digits at least.
func parseShortID(text string) (s shortID, ok bool) {
	const hex = "0123456789abcdef"
	begin, end, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "…")
	digits := strings.ReplaceAll(begin, "-", "")
	if len(digits) < shortest || len(digits) > 32 || len(end) > 12 || strings.Trim(digits+end, hex) != "" {
		return s, false
	}
	s.first, s.last, s.end = padID(digits, "0"), padID(digits, "f"), end
	return s, digits == begin || strings.HasPrefix(s.first.String(), begin)
}

func padID(digits, with string) uuid.UUID {
	return uuid.MustParse(digits + strings.Repeat(with, 32-len(digits)))
}

// narrow has an index give the ids that are meant, which are in a column.
func (s shortID) narrow(n *narrowing, column string) {
	n.ids.begin(s.first)
	n.ids.end(afterID(s.last))
	if s.end != "" {
		n.from("CAST("+column+" AS text) LIKE ?", "%"+s.end)
	}
}

// matches asks that the id in a column is one of those that are meant.
func (s shortID) matches(column string) condition {
	c := condition{column + " >= ? AND " + column + " <= ?", []any{s.first, s.last}}
	if s.end != "" {
		c.sql, c.args = c.sql+" AND CAST("+column+" AS text) LIKE ?", append(c.args, "%"+s.end)
	}
	return c
}

// meansAny says whether any row of the account in the tables has such an id;
// otherwise the text is no id, but a number in somebody's data.
func (s *Store) meansAny(ctx context.Context, account uuid.UUID, text string, tables ...string) (id shortID, found bool, err error) {
	id, ok := parseShortID(text)
	for _, table := range tables {
		if ok && !found && err == nil {
			found, err = s.ro.NewSelect().TableExpr(table).Where("account_id = ? AND id >= ? AND id <= ?", account, id.first, id.last).Exists(ctx)
		}
	}
	return id, found, err
}

// narrowShortID has the account's index give what was made when the ids that
// are meant were, and asks for deliveries with such an id or of such an event.
func narrowShortID(n *narrowing, account uuid.UUID, id shortID) {
	delivery, event := id.matches("d.id"), id.matches("d.event_id")
	n.from("d.account_id = ?", account)
	n.ids.begin(id.first)
	n.ids.end(afterID(idAt(madeAt(id.last).Add(idSlack))))
	n.ask("("+delivery.sql+" OR "+event.sql+")", append(delivery.args, event.args...)...)
}
