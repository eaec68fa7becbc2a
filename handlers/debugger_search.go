package handlers

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"belfry/worker/signature"
)

// signedText is what a signature covers, in one of the forms that people use.
// An empty Fault is the right one.
type signedText struct {
	Text  []byte
	Fault string
}

// signingKey is a key made of what was pasted as secret.
type signingKey struct {
	Key   []byte
	Fault string
}

// sentMAC is a signature as it was received, and what is wrong with its form.
type sentMAC struct {
	sum    []byte // 32 bytes; nil: it is none
	faults []string
}

// readMAC reads a signature: its right form is the prefix and hex, or base64.
func readMAC(value, prefix string, wantHex bool) sentMAC {
	var m sentMAC
	text := strings.TrimSpace(value)
	rest, found := strings.CutPrefix(text, prefix)
	if !found {
		m.faults = append(m.faults, "it does not begin with "+prefix)
		for _, other := range []string{"v1,", "v1=", "sha256="} {
			rest = strings.TrimPrefix(rest, other)
		}
	}
	asHex, isHex := decodeHex(rest)
	as64, is64 := decode64(rest)
	switch {
	case isHex:
		m.sum = asHex
		if !wantHex {
			m.faults = append(m.faults, "it is written in hex, not in base64")
		} else if rest != strings.ToLower(rest) {
			m.faults = append(m.faults, "its hex digits are capitals; they are small letters")
		}
	case is64:
		m.sum = as64
		if wantHex {
			m.faults = append(m.faults, "it is written in base64, not in hex")
		} else if base64.StdEncoding.EncodeToString(as64) != rest {
			m.faults = append(m.faults, "it is URL-safe base64 or lacks its final =")
		}
	}
	return m
}

func decodeHex(text string) ([]byte, bool) {
	sum, err := hex.DecodeString(text)
	return sum, err == nil && len(sum) == sha256.Size
}

func decode64(text string) ([]byte, bool) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	sum, err := base64.RawStdEncoding.DecodeString(text)
	return sum, err == nil && len(sum) == sha256.Size
}

// match finds what a signature was made of: of all texts and keys that give
// it, those with the fewest faults.
func (m sentMAC) match(texts []signedText, keys []signingKey) (faults []string, ok bool) {
	for _, key := range keys {
		mac := hmac.New(sha256.New, key.Key)
		for _, text := range texts {
			mac.Reset()
			mac.Write(text.Text)
			if !bytes.Equal(mac.Sum(nil), m.sum) {
				continue
			}
			found := slices.DeleteFunc([]string{key.Fault, text.Fault}, func(f string) bool { return f == "" })
			if !ok || len(found) < len(faults) {
				faults, ok = found, true
			}
		}
	}
	return faults, ok
}

// keysOf are the keys that a secret gives: the right one first, then those of
// a secret that was copied badly. decoded says that what follows whsec_ is
// decoded, as webhook-signature has it.
func keysOf(secret string, decoded bool) []signingKey {
	clean := strings.TrimSpace(secret)
	bare := strings.Trim(clean, "\"'`")
	name, value, assigned := strings.Cut(bare, "=")
	var keys []signingKey
	add := func(secret, fault string) {
		for _, decode := range []bool{decoded, !decoded} {
			key, fault := []byte(secret), fault
			if rest, found := strings.CutPrefix(secret, signature.SecretPrefix); found && decode {
				key, _ = base64.StdEncoding.DecodeString(rest)
			} else if !found && decode != decoded {
				continue
			}
			if decode != decoded {
				fault = map[bool]string{
					true:  "its key is the secret as it stands; what follows whsec_ must be decoded from base64 first",
					false: "its key is the decoded secret; here the characters are the key, as they stand",
				}[decoded]
			}
			if !slices.ContainsFunc(keys, func(k signingKey) bool { return bytes.Equal(k.Key, key) }) {
				keys = append(keys, signingKey{key, fault})
			}
		}
	}
	add(secret, "")
	add(clean, "the secret was pasted with a space or line break around it")
	add(bare, "the secret was pasted with quotation marks around it")
	if !strings.HasPrefix(bare, signature.SecretPrefix) {
		add(signature.SecretPrefix+bare, "the secret lacks whsec_ at its beginning")
	}
	if assigned && !strings.ContainsAny(name, " +/") && len(value) >= 8 {
		add(strings.Trim(value, "\"'`"), "the secret was pasted with its variable's name before it")
	}
	return keys
}

// spellingsOf are the ways in which a pasted body may have been written when it
// was signed: as it is first, then what a parser, an editor or a framework may
// have made it of.
func spellingsOf(body []byte) []signedText {
	list := []signedText{{Text: body}}
	add := func(text []byte, fault string) {
		if len(text) > 0 && !slices.ContainsFunc(list, func(s signedText) bool { return bytes.Equal(s.Text, text) }) {
			list = append(list, signedText{text, fault})
		}
	}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	add(trimmed, "the body has a line break or space at its end or beginning that was not sent")
	var compact bytes.Buffer
	if json.Compact(&compact, trimmed) != nil {
		return list
	}
	add(compact.Bytes(), "the body was written anew with other white space, as parsing and serializing does")
	ordered := inOrder(compact.Bytes())
	add(ordered, "the body's members stand in another order than they were sent in")
	for _, text := range [][]byte{compact.Bytes(), ordered} {
		add(bytes.ReplaceAll(text, []byte(`\/`), []byte("/")), "the body was written anew: its slashes are escaped now")
		add(unescaped(text), "the body was written anew: characters are escaped (\\u…) that were not")
		add(escaped(text), "the body was written anew: characters that were escaped (\\u…) are not any more")
	}
	return list
}

// endsInSignature says whether a body that has no whole signature member breaks
// off within one.
func endsInSignature(body []byte) bool {
	return regexp.MustCompile(`,\s*"signature"\s*:\s*("[0-9A-Za-z=]{0,71}"?\s*}?)?\s*$`).Match(body)
}

// inOrder puts the members of a body into the order in which they are sent.
func inOrder(compact []byte) []byte {
	var b struct {
		Event, Timestamp, Data, Signature json.RawMessage
	}
	if json.Unmarshal(compact, &b) != nil || b.Event == nil || b.Timestamp == nil || b.Data == nil {
		return nil
	}
	out := slices.Concat([]byte(`{"event":`), b.Event, []byte(`,"timestamp":`), b.Timestamp, []byte(`,"data":`), b.Data)
	if b.Signature != nil {
		out = slices.Concat(out, []byte(`,"signature":`), b.Signature)
	}
	return append(out, '}')
}

// unescaped writes out the characters of \u escapes that need none.
func unescaped(text []byte) []byte {
	var out bytes.Buffer
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		end := i + 2
		for end+4 <= len(text) && text[end-1] == 'u' { // both halves of a pair at once
			end += 4
			if end+1 >= len(text) || text[end] != '\\' || text[end+1] != 'u' {
				break
			}
			end += 2
		}
		var word string
		if text[i+1] == 'u' && json.Unmarshal(slices.Concat([]byte{'"'}, text[i:end], []byte{'"'}), &word) == nil && !strings.ContainsAny(word, "\\\"\u2028\u2029") && !strings.ContainsFunc(word, func(r rune) bool { return r < ' ' }) {
			out.WriteString(word)
		} else {
			out.Write(text[i:end])
		}
		i = end - 1
	}
	return out.Bytes()
}

// escaped writes everything beyond ASCII as \u escapes.
func escaped(text []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(text) {
		if r <= '~' {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteToASCII(string(r))
		quoted = quoted[1 : len(quoted)-1]
		if strings.HasPrefix(quoted, `\U`) {
			r -= 0x10000
			quoted = `\u` + strconv.FormatInt(0xd800+int64(r>>10), 16) + `\u` + strconv.FormatInt(0xdc00+int64(r&0x3ff), 16)
		}
		out.WriteString(quoted)
	}
	return out.Bytes()
}
