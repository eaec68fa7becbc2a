package handlers

import (
	"strconv"

	"belfry/store"
	"belfry/views"
)

// arrived is the last attempt that delivered it before it was sent again; nil:
// there is none among those listed.
func (s *deliveryStory) arrived() *store.Attempt {
	list := s.attempts
	if s.Status == store.Delivered && len(list) > 0 {
		list = list[:len(list)-1]
	}
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Error == "" {
			return &list[i]
		}
	}
	return nil
}

// arrivedWords say that an attempt delivered it, and when.
func (s *deliveryStory) arrivedWords(a *store.Attempt) string {
	at := a.StartedAt.UTC()
	when := "at " + at.Format("15:04:05")
	if s.now.Sub(at).Abs() > anotherDay {
		when = "on " + at.Format("2 Jan 2006") + " at " + at.Format("15:04")
	}
	return "Attempt " + strconv.Itoa(a.Number) + " delivered it " + when + " UTC."
}

// moreAttempts says how many attempts a resend gives: a new set on top of those
// that it has not used.
func (s *deliveryStory) moreAttempts() string {
	set, left := s.limits.MaxAttempts(), max(s.MaxAttempts-s.Attempts, 0)
	if left == 0 {
		return views.Plural(set, "more attempt", "more attempts")
	}
	return "up to " + views.Count(set+left) + " more attempts, " + views.Count(set) + " new ones and the " + views.Count(left) + " it has not used"
}

// deletedWords say what the deletion of its webhook kept from it. An attempt that
// was under way at that moment may have delivered it all the same.
func (s *deliveryStory) deletedWords() string {
	a := s.arrived()
	switch {
	case a == nil:
		return "Its webhook was deleted before it could be delivered."
	case a.Number > s.ScheduleStart:
		return "Its webhook was deleted while attempt " + strconv.Itoa(a.Number) + " was under way."
	}
	return "Its webhook was deleted before it could be delivered again."
}
