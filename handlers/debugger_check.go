package handlers

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/views"
	"belfry/web"
	"belfry/worker/signature"
)

// received is a request as somebody pasted it for the signature debugger.
type received struct {
	Body    []byte
	Header  http.Header
	Strange []string // lines that are no header
	Secret  string
	// Computed is the signature that the receiver's own code came to; may be empty.
	Computed string
	Prefix   string // of the account's header names
	Now      time.Time

	spellings []signedText // of the body; checks finds them
}

// readReceived takes the fields of the form. A browser sends the lines of a
// text area with CRLF; a body has none of its own.
func readReceived(body, headers, secret, computed, prefix string, now time.Time) received {
	r := received{Body: []byte(strings.ReplaceAll(body, "\r\n", "\n")), Header: http.Header{}, Secret: secret, Computed: strings.TrimSpace(computed), Prefix: prefix, Now: now}
	for line := range strings.Lines(headers) {
		line = strings.TrimRight(strings.TrimSpace(line), ",")
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.Trim(strings.TrimSpace(name), `"'`), strings.Trim(strings.TrimSpace(value), `"'`)
		switch {
		case line == "" || strings.HasPrefix(line, "POST "):
		case !ok || name == "" || strings.ContainsAny(name, " \t"):
			r.Strange = append(r.Strange, line)
		default:
			r.Header.Add(textproto.CanonicalMIMEHeaderKey(name), value)
		}
	}
	return r
}

// checks are the parts of a signed request in the order in which a receiver
// meets them, each with whether it is right and what to do if not.
func (r received) checks() []views.SignatureCheck {
	r.spellings = spellingsOf(r.Body)
	list := []views.SignatureCheck{
		r.checkSecret(), r.checkID(), r.checkTimestamp(), r.checkStandard(), r.checkHex(""), r.checkHex("-Next"), r.checkMember(), r.checkBody(), r.checkComputed(),
	}
	if len(r.Strange) > 0 {
		list = append([]views.SignatureCheck{{Tone: "warn", Name: "Headers", Word: "not all read", Text: "This line is no header: “" + web.Clip(r.Strange[0], 60) + "”. Write each as name: value, on a line of its own."}}, list...)
	}
	list = slices.DeleteFunc(list, func(c views.SignatureCheck) bool { return c.Tone == "" })
	r.settle(list)
	return list
}

func (r received) checkSecret() views.SignatureCheck {
	c := views.SignatureCheck{Tone: "bad", Name: "Secret", Word: "can't be right"}
	switch err := signature.Check(strings.TrimSpace(r.Secret)); {
	case r.Secret == "":
		c.Text = "Paste the secret that the receiver verifies with."
	case errors.Is(err, signature.ErrSecretEncoding):
		c.Text = "What follows whsec_ is not base64. It was cut or changed on its way: copy it anew, or rotate it."
	case errors.Is(err, signature.ErrSecretLength):
		c.Text = "A secret has 8 to 256 characters, this one " + strconv.Itoa(len(r.Secret)) + ". Copy it anew."
	case err != nil:
		c.Text = "It holds characters that no secret of Belfry has. Copy it anew."
	case r.Secret != strings.TrimSpace(r.Secret):
		c.Tone, c.Word, c.Text = "warn", "has white space", "A space or line break stands before or after it. Many programs read it from a file with the line break: remove it."
	default:
		return views.SignatureCheck{Tone: "ok", Name: "Secret", Word: "well formed", Text: "Whether it is the right one shows below."}
	}
	return c
}

func (r received) checkID() views.SignatureCheck {
	if r.Header.Get(signature.HeaderID) == "" {
		return views.SignatureCheck{Tone: "bad", Name: "webhook-id", Word: "missing", Text: "It is part of what is signed. Paste all headers; if it is not among them, a proxy or the framework removed it."}
	}
	return views.SignatureCheck{Tone: "ok", Name: "webhook-id", Word: "there", Text: "It is the delivery's id, the same on every attempt."}
}

func (r received) checkTimestamp() views.SignatureCheck {
	c := views.SignatureCheck{Tone: "bad", Name: "webhook-timestamp"}
	value := r.Header.Get(signature.HeaderTimestamp)
	seconds, err := strconv.ParseInt(value, 10, 64)
	at := time.Unix(seconds, 0)
	away := r.Now.Sub(at)
	switch {
	case value == "":
		c.Word, c.Text = "missing", "It is part of what is signed. Paste all headers; if it is not among them, a proxy or the framework removed it."
	case err != nil:
		c.Word, c.Text = "not a time", "It is a whole number: the seconds since 1970. This one was changed on its way."
	case seconds > 1e11:
		c.Word, c.Text = "not in seconds", "It looks like milliseconds. It was changed on its way: verify with the text as it came."
	case away > signature.Tolerance:
		c.Tone, c.Word = "warn", "more than 5 minutes ago"
		c.Text = "It was sent " + views.AgoWords(at, r.Now) + ". That is as it should be for a request of the past; a receiver refuses it now. If it refused it then, its clock is wrong."
	case -away > signature.Tolerance:
		c.Word, c.Text = "more than 5 minutes ahead", "One of the two clocks is wrong by "+views.Duration(-away)+". Set the receiver's by NTP."
	default:
		c.Tone, c.Word, c.Text = "ok", "within 5 minutes", "Receivers take it."
	}
	return c
}

// standardTexts are what webhook-signature may cover: id, timestamp and body,
// or what is often taken for it.
func (r received) standardTexts() []signedText {
	id, at := r.Header.Get(signature.HeaderID), r.Header.Get(signature.HeaderTimestamp)
	var list []signedText
	for _, body := range r.spellings {
		list = append(list, signedText{slices.Concat([]byte(id+"."+at+"."), body.Text), body.Fault})
	}
	if sent := r.Header.Get(r.Prefix + "-Delivery"); sent != "" && id != "" && sent != id {
		list = append(list, signedText{slices.Concat([]byte(sent+"."+at+"."), r.Body), "the webhook-id was changed: it was signed as " + web.Clip(sent, 60) + ", as " + r.Prefix + "-Delivery has it"})
	}
	if seconds, cut := strings.CutSuffix(at, "000"); cut {
		list = append(list, signedText{slices.Concat([]byte(id+"."+seconds+"."), r.Body), "the webhook-timestamp was changed: it was signed in seconds, as " + web.Clip(seconds, 60)})
	}
	return append(list, signedText{r.Body, "it signs the body alone; id and timestamp go before it, joined by dots"},
		signedText{slices.Concat([]byte(at+"."), r.Body), "it signs timestamp and body; the id goes before them"})
}

func (r received) checkStandard() views.SignatureCheck {
	const name = signature.HeaderSignature
	values := strings.Fields(r.Header.Get(name))
	if len(values) == 0 {
		return missingSignature(name)
	}
	const most = 4
	var last views.SignatureCheck
	for i, value := range values[:min(len(values), most)] {
		last = r.judge(name, readMAC(value, "v1,", false), r.standardTexts(), keysOf(r.Secret, true))
		if last.Tone == "ok" {
			if i > 0 {
				last.Text = "The second of its signatures fits: this is the new secret of a rotation."
			} else if len(values) > 1 {
				last.Text = "The first of its signatures fits: this is the old secret of a rotation. Take both until it ends."
			}
			break
		}
	}
	return last
}

func missingSignature(name string) views.SignatureCheck {
	return views.SignatureCheck{Tone: "bad", Name: name, Word: "missing", Text: "The webhook has no secret, or a proxy or the framework removed the header."}
}

func (r received) checkHex(which string) views.SignatureCheck {
	name := r.Prefix + "-Signature" + which
	value := r.Header.Get(name)
	if value == "" && which != "" {
		return views.SignatureCheck{} // only there while a rotation overlaps
	}
	if value == "" {
		return missingSignature(name)
	}
	texts := slices.Clone(r.spellings)
	if unsigned, _, ok := signature.SplitSignature(r.Body); ok {
		texts = append(texts, signedText{unsigned, "it signs the body without its signature member; this header signs all of it"})
	}
	c := r.judge(name, readMAC(value, "sha256=", true), texts, keysOf(r.Secret, false))
	if c.Tone == "ok" && which != "" {
		c.Text = "This is the new secret of a rotation."
	} else if c.Tone == "bad" && r.Header.Get(r.Prefix+"-Signature-Next") != "" {
		c.Tone, c.Text = "warn", "During a rotation one header is by the old secret, the other by the new one: one of the two must fit."
	}
	return c
}

// memberName and bodyName are the checks of the body's own signature and of its form.
const (
	memberName = "signature in the body"
	bodyName   = "Body"
)

// cutOff is the word for a signature member that is not there to its end.
const cutOff = "there, but cut off"

func (r received) checkMember() views.SignatureCheck {
	const name = memberName
	texts := make([]signedText, 0, 8)
	var sent string
	for _, body := range r.spellings {
		if unsigned, sig, ok := signature.SplitSignature(body.Text); ok {
			texts, sent = append(texts, signedText{unsigned, body.Fault}), sig
		}
	}
	if sent == "" && endsInSignature(r.Body) {
		return views.SignatureCheck{Tone: "bad", Name: name, Word: cutOff, Text: "It begins, but its end is not there: the body was cut, as logs and limits of size do. Paste the whole body."}
	}
	if sent == "" {
		return views.SignatureCheck{Tone: "warn", Name: name, Word: "missing", Text: "A signed body ends in a signature member. It was removed, the body was cut, or the webhook has no secret."}
	}
	return r.judge(name, readMAC(sent, "sha256=", true), texts, keysOf(r.Secret, false))
}

// judge says what became of one signature.
func (r received) judge(name string, m sentMAC, texts []signedText, keys []signingKey) views.SignatureCheck {
	if m.sum == nil {
		return views.SignatureCheck{Tone: "bad", Name: name, Word: "not a signature", Text: "It is neither the hex nor the base64 of 32 bytes. It was cut or changed on its way."}
	}
	faults, ok := m.match(texts, keys)
	faults = append(slices.Clone(m.faults), faults...)
	switch {
	case !ok:
		return views.SignatureCheck{Tone: "bad", Name: name, Word: misfits, Text: "Neither this secret nor a body written otherwise gives it."}
	case len(faults) > 0:
		return views.SignatureCheck{Tone: "bad", Name: name, Word: wouldFit, Text: sentence(strings.Join(faults, "; ")), Changed: changedParts(faults)}
	}
	return views.SignatureCheck{Tone: "ok", Name: name, Word: fits, Text: "Secret and body are those that were signed."}
}

// checkBody says whether the body has the form in which Belfry sends it.
func (r received) checkBody() views.SignatureCheck {
	c := views.SignatureCheck{Tone: "bad", Name: bodyName}
	switch {
	case len(r.Body) == 0:
		c.Word, c.Text = "missing", "Paste the raw body: the bytes as they came, before anything parsed them."
	case len(r.spellings) == 1 && inOrder(r.Body) == nil:
		c.Word, c.Text = "not what Belfry sends", "It is not the JSON of an event: it was cut, or is another request's."
	case !bytes.Equal(r.Body, inOrder(r.compacted())):
		c.Word, c.Text = "was changed", "Belfry sends compact JSON: event, timestamp, data, signature, without spaces or a final line break. Verify the raw bytes, before a framework parses them."
	default:
		c.Tone, c.Word, c.Text = "ok", "as Belfry sends it", "Compact JSON with its members in order."
	}
	return c
}

// compacted is the first spelling of the body that has no line breaks.
func (r received) compacted() []byte {
	for _, s := range r.spellings {
		if !bytes.ContainsAny(s.Text, "\n\r") && inOrder(s.Text) != nil {
			return s.Text
		}
	}
	return r.Body
}

// computedName is the check of what the receiver's own code came to. It says
// nothing of the request.
const computedName = "What your code computed"

// checkComputed says how the receiver's own code came to its signature.
func (r received) checkComputed() views.SignatureCheck {
	const name = computedName
	if r.Computed == "" {
		return views.SignatureCheck{}
	}
	asHex := strings.HasPrefix(r.Computed, "sha256=")
	if _, is := decodeHex(r.Computed); is {
		asHex = true
	}
	hexed := r.judge(name, readMAC(r.Computed, "sha256=", true), r.spellings, keysOf(r.Secret, false))
	standard := r.judge(name, readMAC(r.Computed, "v1,", false), r.standardTexts(), keysOf(r.Secret, true))
	switch {
	case hexed.Tone == "ok":
		hexed.Text = "It is what " + r.Prefix + "-Signature must be, by this secret and body."
		return hexed
	case standard.Tone == "ok":
		standard.Text = "It is what webhook-signature must be, by this secret and body."
		return standard
	case asHex && hexed.Word == wouldFit, standard.Word != wouldFit:
		return hexed
	}
	return standard
}
