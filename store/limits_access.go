package store

// Limits are the limits that hold for accounts that have none of their own.
func (s *Store) Limits() Limits { return s.opt.Limits }

// HasHandover says whether a worker takes fresh deliveries.
func (s *Store) HasHandover() bool { return s.hand.Load() != nil }
