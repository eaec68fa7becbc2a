package views

// DebuggerView is the signature debugger: what was pasted, and what came of it.
type DebuggerView struct {
	Token                           string
	Prefix                          string // of the account's header names
	Body, Headers, Secret, Computed string
	Faults                          FieldErrors
	Verdict                         Msg
	Checks                          []SignatureCheck // none: nothing was pasted yet
}

// SignatureCheck is what was found about one part of a signed request.
type SignatureCheck struct {
	Tone string // ok, warn, bad; empty: there was nothing to check
	Name string // the part
	Word string // how it is
	Text string // what it means, and what to do
	// Changed names the parts that are not as they were when this signature was
	// made: secret, body, webhook-id, webhook-timestamp; empty: none.
	Changed string
}

func (c SignatureCheck) state() State {
	icon := map[string]string{"ok": "circle-check", "warn": "triangle-alert", "bad": "circle-x"}[c.Tone]
	return State{icon, c.Tone, c.Word}
}

// verdict is what came of the check; without words where nothing was checked.
func (v DebuggerView) verdict() Msg {
	if len(v.Faults) > 0 {
		return Msg{Tone: "bad", Bold: "This is too much to check.", Text: v.Faults[0].Text}
	}
	return v.Verdict
}

func (v DebuggerView) example() string {
	return "webhook-id: 01a1fe8b-…\nwebhook-timestamp: 1795271400\nwebhook-signature: v1,Yk3v…\n" + v.Prefix + "-Signature: sha256=5d41…"
}
