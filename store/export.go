package store

import (
	"context"

	"github.com/uptrace/bun"

	"belfry/store/uuid"
)

// An export reads so many rows at once, and the data of so many events: that of
// the largest takes 16 MiB then.
const (
	exportRows = 500
	exportData = 64
)

// ExportedDelivery is a delivery as it is taken out, with its event's data where
// that was asked for.
type ExportedDelivery struct {
	Delivery
	Data []byte // a JSON object; nil: not asked for, or no longer kept
}

// ExportDeliveries calls each with all of the account's deliveries that the
// filter matches, newest first, some at a time; its cursors, limit and offset
// don't count. With none it calls it after each part of the log in which nothing
// matches, so that a long search can show that it goes on. It ends with the last,
// or at the first error of each, and keeps no connection while each works.
func (s *Store) ExportDeliveries(ctx context.Context, account uuid.UUID, f DeliveryFilter, data bool, each func([]ExportedDelivery) error) error {
	f.Before, f.After, f.Limit, f.Offset = uuid.Nil, uuid.Nil, exportRows, 0
	for {
		page, err := s.searchDeliveries(ctx, account, f)
		if err != nil {
			return err
		}
		if err := s.exportDeliveries(ctx, account, page.List, data, each); err != nil {
			return err
		}
		if f.Before = page.Next(false); f.Before == uuid.Nil {
			return nil
		}
	}
}

func (s *Store) exportDeliveries(ctx context.Context, account uuid.UUID, list []Delivery, data bool, each func([]ExportedDelivery) error) error {
	for first := true; first || len(list) > 0; first = false {
		part := make([]ExportedDelivery, min(len(list), exportData))
		ids := make([]uuid.UUID, len(part))
		for i := range part {
			part[i].Delivery, ids[i] = list[i], list[i].EventID
		}
		list = list[len(part):]
		if data && len(ids) > 0 {
			kept, err := s.dataOf(ctx, account, ids)
			if err != nil {
				return err
			}
			for i := range part {
				part[i].Data = kept[part[i].EventID]
			}
		}
		if err := each(part); err != nil {
			return err
		}
	}
	return nil
}

// dataOf gives the data of the account's events with these ids.
func (s *Store) dataOf(ctx context.Context, account uuid.UUID, ids []uuid.UUID) (map[uuid.UUID][]byte, error) {
	var rows []struct {
		ID   uuid.UUID
		Data []byte
	}
	err := s.inTurn(ctx, account, func() error {
		return s.ro.NewRaw("SELECT id, data FROM events WHERE account_id = ? AND id IN (?)", account, bun.List(ids)).Scan(ctx, &rows)
	})
	kept := make(map[uuid.UUID][]byte, len(rows))
	for _, row := range rows {
		kept[row.ID] = row.Data
	}
	return kept, err
}

// ExportEvents is ExportDeliveries for events; they always come with their data.
func (s *Store) ExportEvents(ctx context.Context, account uuid.UUID, f EventFilter, each func([]Event) error) error {
	f.Before, f.After, f.Limit, f.DataBytes = uuid.Nil, uuid.Nil, exportData, 0
	for {
		page, err := s.searchEvents(ctx, account, f)
		if err != nil {
			return err
		}
		if err := each(page.List); err != nil {
			return err
		}
		if f.Before = page.Next(false); f.Before == uuid.Nil {
			return nil
		}
	}
}
