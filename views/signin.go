package views

// SignInPage is the page to sign in on.
type SignInPage struct {
	Desk  string // the only account's name; empty where there are several
	Foot  string
	Email string // kept as typed
	Next  string // where to go on; may be empty
	Fault string // what was wrong, as a sentence
}

// WelcomePage is the first run's page, which makes the owner.
type WelcomePage struct {
	Foot        string
	Code, Email string // kept as typed
	Fault       string // what is wrong with the form as a whole
	// CodeFault, EmailFault and PasswordFault are what is wrong with the fields.
	CodeFault, EmailFault, PasswordFault string
	Summary                              []FieldError
}
