// Package signature signs webhook bodies and verifies them.
//
// It needs the standard library only, so a receiver may import it. Three signatures travel with a delivery:
//
//   - the body's last member, "signature": HMAC-SHA256 of the body as it would be without that member;
//   - the header X-Webhook-Signature: HMAC-SHA256 of the body exactly as it is sent, member included;
//   - the header webhook-signature of Standard Webhooks 1.0: HMAC-SHA256 of "id.timestamp.body".
//
// The first two take the characters of the secret as key, the third the bytes that a "whsec_" secret encodes.
package signature

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// SecretPrefix starts every secret that encodes its key as base64 (Standard Webhooks 1.0).
const SecretPrefix = "whsec_"

// Lengths of a secret in characters.
const (
	minSecret = 8
	maxSecret = 256
)

// Faults that Check finds; each is a sentence for the person who typed the secret.
var (
	ErrSecretLength     = errors.New("a secret has 8 to 256 characters")
	ErrSecretCharacters = errors.New("a secret holds printable ASCII characters only")
	ErrSecretEncoding   = errors.New(`what follows "whsec_" must be base64; generate a secret, or start your own differently`)
)

// Generate returns a new secret: "whsec_" and the base64 of 32 random bytes.
func Generate() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	return SecretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// Check tells whether secret may sign: 8 to 256 printable ASCII characters, and base64 after "whsec_" where it starts so.
// It returns one of ErrSecretLength, ErrSecretCharacters, ErrSecretEncoding.
func Check(secret string) error {
	if len(secret) < minSecret || len(secret) > maxSecret {
		return ErrSecretLength
	}
	for i := range len(secret) {
		if secret[i] < ' ' || secret[i] > '~' {
			return ErrSecretCharacters
		}
	}
	if _, err := standardKey(secret); err != nil {
		return ErrSecretEncoding
	}
	return nil
}

// standardKey returns the key of the Standard Webhooks signature: the decoded part of a "whsec_" secret, else the
// bytes of the secret itself.
func standardKey(secret string) ([]byte, error) {
	encoded, found := strings.CutPrefix(secret, SecretPrefix)
	if !found {
		return []byte(secret), nil
	}
	return base64.StdEncoding.DecodeString(encoded)
}
