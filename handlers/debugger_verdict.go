package handlers

import (
	"slices"
	"strconv"
	"strings"

	"belfry/views"
	"belfry/worker/signature"
)

// What a signature is found to be, by the secret, the body and the headers that
// were pasted.
const (
	fits      = "fits"
	wouldFit  = "would fit, but"
	misfits   = "does not fit"
	unchecked = "can't be checked"
)

// rawBytes is what to do where the body is not what was signed.
const rawBytes = " Verify the raw bytes, before a framework parses them."

// changedParts names the parts of a request that faults are about: those of
// the signature's own form are about none.
func changedParts(faults []string) string {
	var parts []string
	for _, part := range []string{"secret", "body", signature.HeaderID, signature.HeaderTimestamp} {
		if slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, "the "+part) }) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " and ")
}

// settle corrects what each check says alone by what the others prove: once
// one signature fits, secret and body are right, so that another one that does
// not fit has another cause.
func (r received) settle(checks []views.SignatureCheck) {
	standard, member := part(checks, signature.HeaderSignature), part(checks, memberName)
	lacking := r.lacking()
	if lacking != "" && standard.Word == misfits {
		standard.Word = unchecked
		standard.Text = lacking + ", so webhook-signature can't be checked. Paste all headers; if it is not among them, a proxy or the framework removed it."
	}
	if part(checks, r.Prefix+"-Signature-Next").Word == fits && member.Word == misfits {
		member.Tone, member.Text = "warn", "During a rotation the body is signed by the old secret; this is the new one."
	}
	r.settleBody(checks)
	if !slices.ContainsFunc(checks, proves) {
		return
	}
	for i := range checks {
		if c := &checks[i]; c.Word == misfits && c.Tone == "bad" && c.Name != computedName {
			c.Text = "Secret and body are right, as another signature shows: this one was changed on its way."
		}
	}
	if standard.Word == misfits {
		r.settleStandard(checks, standard)
	}
}

// proves says whether a signature of the request is one of this secret.
func proves(c views.SignatureCheck) bool {
	return c.Name != computedName && (c.Word == fits || c.Word == wouldFit)
}

// settleBody lets the body's own line agree with the signatures that only fit
// the body as it was written before.
func (r received) settleBody(checks []views.SignatureCheck) {
	body := part(checks, bodyName)
	if body.Tone == "ok" && slices.ContainsFunc(checks, func(c views.SignatureCheck) bool { return proves(c) && strings.Contains(c.Changed, "body") }) {
		body.Tone, body.Word, body.Text = "bad", "was changed", "It is JSON of the same meaning, but not of the bytes that were signed."+rawBytes
	}
}

// settleStandard says which of the two headers that only webhook-signature
// covers differs, where secret and body are right.
func (r received) settleStandard(checks []views.SignatureCheck, standard *views.SignatureCheck) {
	id, at := r.Header.Get(signature.HeaderID), part(checks, signature.HeaderTimestamp)
	const how = " Take both as they came with this attempt: each attempt has a timestamp and a webhook-signature of its own. If you did, a proxy or the framework changed them."
	_, err := strconv.ParseInt(r.Header.Get(signature.HeaderTimestamp), 10, 64)
	if id != r.Header.Get(r.Prefix+"-Delivery") && err == nil {
		standard.Text = "The other signatures fit, so webhook-id or webhook-timestamp is not the one that was signed." + how
		return
	}
	standard.Text = "The other signatures fit, so webhook-timestamp is not the one that was signed." + strings.Replace(how, "Take both as they", "Take it as it", 1)
	if err == nil {
		at.Tone, at.Word, at.Text = "bad", "not what was signed", "It was changed, or is another attempt's: see webhook-signature."
	}
}

// lacking says which of the headers that webhook-signature covers are not
// there; empty: none.
func (r received) lacking() string {
	id, at := r.Header.Get(signature.HeaderID) == "", r.Header.Get(signature.HeaderTimestamp) == ""
	switch {
	case id && at:
		return "webhook-id and webhook-timestamp are missing"
	case id:
		return "webhook-id is missing"
	case at:
		return "webhook-timestamp is missing"
	}
	return ""
}

// part is the check of a name, to be read and corrected; one of no words where there is none.
func part(checks []views.SignatureCheck, name string) *views.SignatureCheck {
	if i := slices.IndexFunc(checks, func(c views.SignatureCheck) bool { return c.Name == name }); i >= 0 {
		return &checks[i]
	}
	return &views.SignatureCheck{}
}

// verdictOf sums up what the checks say: of the request, and where that is
// genuine, of what the receiver's own code computed.
func verdictOf(checks []views.SignatureCheck) views.Msg {
	request := slices.DeleteFunc(slices.Clone(checks), func(c views.SignatureCheck) bool { return c.Name == computedName })
	wrong := slices.IndexFunc(request, func(c views.SignatureCheck) bool { return c.Tone == "bad" })
	fitting := slices.ContainsFunc(request, func(c views.SignatureCheck) bool { return c.Word == fits })
	standard := part(request, signature.HeaderSignature)
	switch {
	case wrong < 0 && fitting:
		return genuineVerdict(checks)
	case slices.ContainsFunc(request, func(c views.SignatureCheck) bool { return c.Changed != "" }), !fitting && slices.ContainsFunc(request, proves):
		return changedVerdict(request)
	case fitting && standard.Word == misfits:
		return views.Msg{Tone: "warn", Bold: "Secret and body are right.", Text: standard.Text}
	case fitting && standard.Word == unchecked:
		return views.Msg{Tone: "warn", Bold: "The secret is right.", Text: standard.Text}
	case fitting:
		return views.Msg{Tone: "warn", Bold: "The secret is right.", Text: saying(request[wrong])}
	}
	return strangeVerdict(request, wrong)
}

// genuineVerdict is for a request that this secret signed: it may be too old to
// be taken, and the receiver's own code may compute something else.
func genuineVerdict(checks []views.SignatureCheck) views.Msg {
	v := views.Msg{Tone: "ok", Bold: "Genuine.", Text: "This secret signed exactly this request."}
	if at := part(checks, signature.HeaderTimestamp); at.Tone == "warn" {
		v = views.Msg{Tone: "warn", Bold: "Genuine, but old.", Text: v.Text + " " + at.Text}
	}
	computed := part(checks, computedName)
	if computed.Tone != "bad" {
		return v
	}
	if v.Tone == "ok" {
		v.Text = ""
	}
	v.Text = strings.TrimSpace("What your code computed " + computed.Word + ": " + computed.Text + " " + v.Text)
	return views.Msg{Tone: "warn", Bold: "The request is genuine, your code's value is not right.", Text: v.Text}
}

// changedVerdict is for a request that this secret signed in another form: it
// names the part that differs.
func changedVerdict(checks []views.SignatureCheck) views.Msg {
	i := slices.IndexFunc(checks, func(c views.SignatureCheck) bool { return c.Changed != "" })
	if i < 0 {
		i = slices.IndexFunc(checks, proves)
	}
	v := views.Msg{Tone: "bad", Bold: "The " + checks[i].Changed + " was changed since it was signed.", Text: checks[i].Text}
	switch changed := checks[i].Changed; {
	case changed == "":
		v.Bold = "It was signed differently."
	case changed == "secret":
		v.Bold = "The secret was not pasted as it is."
	case strings.Contains(changed, " and "):
		v.Bold = "More than one part differs: " + changed + "."
	}
	if strings.Contains(checks[i].Changed, "body") {
		v.Text += rawBytes
	}
	if standard := part(checks, signature.HeaderSignature); standard.Word == misfits || standard.Word == unchecked {
		v.Text += " " + standard.Text
	}
	return v
}

// strangeVerdict is for a request of which nothing is signed with this secret.
func strangeVerdict(checks []views.SignatureCheck, wrong int) views.Msg {
	switch {
	case slices.ContainsFunc(checks, func(c views.SignatureCheck) bool { return c.Name == bodyName && c.Tone == "bad" || c.Word == cutOff }):
		return views.Msg{Tone: "bad", Bold: "Nothing fits, and the body was changed.", Text: "Paste the raw body first; if it still does not fit, the secret is another one."}
	case slices.ContainsFunc(checks, func(c views.SignatureCheck) bool { return c.Word == misfits }):
		return views.Msg{Tone: "bad", Bold: "Wrong secret, most likely.", Text: "The body has the form that Belfry sends, but nothing was signed with this secret. Take the secret of this webhook, or rotate it; else a value inside the body was changed."}
	}
	v := views.Msg{Tone: "bad", Bold: "This can't be verified."}
	if wrong >= 0 {
		v.Text = saying(checks[wrong])
	}
	return v
}

// saying is a check in one line.
func saying(c views.SignatureCheck) string {
	return c.Name + ": " + c.Word + ". " + c.Text
}
