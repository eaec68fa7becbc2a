package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// argon are the parameters of Argon2id (RFC 9106).
type argon struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// argonToday are the parameters of new hashes: OWASP's first choice for little
// memory, unless the caller asked for another amount, in KiB.
func argonToday(memory uint32) argon {
	if memory == 0 {
		memory = 19 << 10
	}
	return argon{memory: memory, time: 2, lanes: 1}
}

const (
	saltBytes = 16
	hashBytes = 32
	// The shortest and longest passwords, in characters.
	minPassword, maxPassword = 12, 256
)

// people hashes passwords, two at a time: each takes 19 MiB.
type people struct {
	slots chan struct{}
	today argon
	// decoy is a hash that no password fits, for emails that nobody has.
	decoy string
	// rest gives freed memory back.
	rest *time.Timer
}

func newPeople(memory uint32) *people {
	today := argonToday(memory)
	var salt [saltBytes]byte
	var key [hashBytes]byte
	rand.Read(salt[:])
	rand.Read(key[:])
	return &people{slots: make(chan struct{}, 2), today: today, decoy: today.encode(salt[:], key[:]), rest: time.AfterFunc(time.Hour, debug.FreeOSMemory)}
}

// enter waits for a slot until ctx ends; the caller must leave.
func (p *people) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the slot back, and the memory that hashing took to the system once
// nobody has hashed for a moment.
func (p *people) leave() {
	p.rest.Reset(5 * time.Second)
	<-p.slots
}

// hash gives the PHC string of a password under a fresh salt.
func (p *people) hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	var salt [saltBytes]byte
	rand.Read(salt[:])
	return p.today.encode(salt[:], p.today.key(password, salt[:])), nil
}

// verify says whether password fits the hash, and whether the hash was made
// with other parameters than today's.
func (p *people) verify(ctx context.Context, hash, password string) (fits, stale bool, err error) {
	a, salt, key, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	if err := p.enter(ctx); err != nil {
		return false, false, err
	}
	defer p.leave()
	if len(password) > 4*maxPassword {
		password = ""
	}
	fits = subtle.ConstantTimeCompare(a.key(password, salt), key) == 1
	return fits, a != p.today, nil
}

func (a argon) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, a.time, a.memory, a.lanes, hashBytes)
}

func (a argon) encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parsePHC reads "$argon2id$v=19$m=…,t=…,p=…$salt$key". The parameters are
// bounded: a damaged row must not eat the machine's memory.
func parsePHC(hash string) (a argon, salt, key []byte, err error) {
	var version int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return a, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &a.memory, &a.time, &a.lanes); err != nil {
		return a, nil, nil, errHash
	}
	if version != argon2.Version || a.memory > 1<<20 || a.time < 1 || a.time > 100 || a.lanes < 1 {
		return a, nil, nil, errHash
	}
	salt, badSalt := base64.RawStdEncoding.DecodeString(parts[4])
	key, badKey := base64.RawStdEncoding.DecodeString(parts[5])
	if badSalt != nil || badKey != nil || len(key) != hashBytes {
		return a, nil, nil, errHash
	}
	return a, salt, key, nil
}

var errHash = errors.New("a kept password hash is not an argon2id string: reset the user's password")

// passwordFault says what to mend about a new password, empty when it is fine.
func passwordFault(password, email string) string {
	switch n := utf8.RuneCountInString(password); {
	case password == "":
		return "enter a password"
	case !utf8.ValidString(password):
		return "must be valid UTF-8"
	case n < minPassword:
		return fmt.Sprintf("must have %d characters or more; several words are easy to remember", minPassword)
	case n > maxPassword:
		return fmt.Sprintf("must have at most %d characters", maxPassword)
	case strings.EqualFold(password, email):
		return "must not be the email address"
	}
	return ""
}
