package handlers

import (
	"fmt"
	"net/http"
	"sync"

	"belfry/store/uuid"
	"belfry/web"
)

// openPages is how many live streams one person may have open on a node: more
// tabs than anybody looks at, and some 50 MB. Without a bound whoever may read
// could take all memory.
const openPages = 300

// audience counts the live streams of each person.
type audience struct {
	mu   sync.Mutex
	open map[uuid.UUID]int
}

// enter takes a place for one more stream of a person, to be left when it ends.
// The error says that all are taken.
func (a *audience) enter(user uuid.UUID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[user] >= openPages {
		return &web.Error{
			Status: http.StatusTooManyRequests, Code: "too_many_pages",
			Detail: fmt.Sprintf("You have %d pages open that follow what happens. Close some, and reload this one to follow it, too.", openPages),
		}
	}
	a.open[user]++
	return nil
}

func (a *audience) leave(user uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[user]--; a.open[user] == 0 {
		delete(a.open, user)
	}
}
