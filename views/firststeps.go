package views

// Where the first steps are ended, and where their last one leads.
const (
	FirstStepsAddress = "/setup/webhooks/first-steps"
	FirstTestAddress  = FirstStepsAddress + "/test"
)

// FirstStepsView is how far somebody new has come.
type FirstStepsView struct {
	Webhook  string // the first webhook's name
	TestHref string // where a test is sent to it
	Inbox    bool   // it arrived in the test inbox, and is to be seen there
	Answer   string // what came of the last test: "200 in 12 ms"; empty: none was sent
}

// Tested says that a test was sent.
func (v FirstStepsView) Tested() bool { return v.Answer != "" }

func (v FirstStepsView) testWords() string {
	if v.Tested() {
		return "The last one: " + v.Answer + "."
	}
	return "One real, signed request, with the answer beside it."
}
