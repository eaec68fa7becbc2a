package store

// ForgetPast has the store tell what the database holds, until remember has it
// know again what it knew.
func (s *Store) ForgetPast() (remember func()) {
	s.past.mu.Lock()
	defer s.past.mu.Unlock()
	young, old, size := s.past.young, s.past.old, s.past.size
	s.past.young, s.past.old, s.past.size = nil, nil, 0
	return func() {
		s.past.mu.Lock()
		defer s.past.mu.Unlock()
		s.past.young, s.past.old, s.past.size = young, old, size
	}
}
