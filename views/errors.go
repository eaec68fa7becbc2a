package views

// ErrorView is what went wrong, in words for people.
type ErrorView struct {
	Title     string // "There is no such page"
	Text      string // what it means and what to do
	RequestID string // to be told to the operator; may be empty
	Back      Link   // where to go on; may be empty
	Again     bool   // trying again may help: a link to the same address
	Address   string // the address asked for, for trying again
}

func errorFoot(e ErrorView) string {
	if e.RequestID == "" {
		return ""
	}
	return "Request " + e.RequestID
}
