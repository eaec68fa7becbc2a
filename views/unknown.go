package views

import "strings"

// Unknown is a part of a list's address that means nothing there. Addresses are those of the page, its path left out.
type Unknown struct {
	Name    string // of the parameter
	Bold    string // "Unknown status “faild”"
	Meant   Link   // what was probably meant; empty: nobody can tell
	Takes   string // what means something instead: "It can be pending, failed."; empty where Meant is set
	Shown   string // what is shown all the same: "Showing all statuses."; empty: nothing
	Without string // the address without it
}

// Words say the same where no link can stand: "Unknown status “faild”: did you mean failed?"
func (u Unknown) Words() string {
	switch {
	case u.Meant.Label != "":
		return u.Bold + ": did you mean " + u.Meant.Label + "?"
	case u.Takes != "":
		return u.Bold + ". " + u.Takes
	}
	return u.Bold + "."
}

// rest is what follows where nobody can tell what was meant.
func (u Unknown) rest() string { return strings.TrimSpace(u.Takes + " " + u.Shown) }
