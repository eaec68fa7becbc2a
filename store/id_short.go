package store

import (
	"context"
	"strings"

	"belfry/store/uuid"
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

// narrowIDs has an index give the ids that are meant, which are in a column.
func (s *Store) narrowIDs(n *narrowing, column string, id shortID) {
	n.ids.begin(id.first)
	n.ids.end(afterID(id.last))
	if id.end != "" {
		n.from(s.d.idText(column)+" LIKE ?", "%"+id.end)
	}
}

// isMeant asks that the id in a column is one of those that are meant.
func (s *Store) isMeant(column string, id shortID) condition {
	c := condition{column + " >= ? AND " + column + " <= ?", []any{id.first, id.last}}
	if id.end != "" {
		c.sql, c.args = c.sql+" AND "+s.d.idText(column)+" LIKE ?", append(c.args, "%"+id.end)
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
func (s *Store) narrowShortID(n *narrowing, account uuid.UUID, id shortID) {
	delivery, event := s.isMeant("d.id", id), s.isMeant("d.event_id", id)
	n.from("d.account_id = ?", account)
	n.ids.begin(id.first)
	n.ids.end(afterID(idAt(id.last.Time().Add(idSlack))))
	n.ask("("+delivery.sql+" OR "+event.sql+")", append(delivery.args, event.args...)...)
}
