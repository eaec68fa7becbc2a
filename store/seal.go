package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sealer encrypts what must not be readable in a dump: AES-256-GCM, the key
// derived from the secret key by HKDF-SHA256 (RFC 5869). Each value is bound
// to its place, so that one row's secret can't be pasted into another.
type sealer struct{ aead cipher.AEAD }

func newSealer(secretKey string) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(secretKey), nil, "belfry secrets v1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead}, err
}

// close encrypts plain for the place named; nil stays nil.
func (s *sealer) close(place string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	return s.aead.Seal(nil, nil, plain, []byte(place))
}

func (s *sealer) open(place string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("decrypt %s: the secret key does not fit", place)
	}
	return plain, nil
}

// errKey is the answer to a missing or unsuitable secret key.
var errKey = errors.New("with Postgres a secret key is required: give -secret-key or -secret-key-file, 32 characters or more")

// openSeal takes the key that is given, or else that of the key file, which is
// made only beside a database that knows no key yet.
func (s *Store) openSeal(ctx context.Context) (err error) {
	key, path := s.opt.SecretKey, s.keyPath()
	if key == "" && s.opt.DatabaseURL != "" {
		return errKey
	}
	if key == "" {
		key, err = s.keptKey(ctx, path)
	}
	if s.opt.LookOnly && errors.Is(err, os.ErrNotExist) {
		s.keyless, key, err = err, newSecretKey(), nil // which seals nothing
	}
	if err != nil {
		return err
	}
	if len(key) < 32 && s.opt.SecretKey == "" {
		return fmt.Errorf("the secret key in %s has %d characters; it needs 32 or more: put back the one that was there", path, len(key))
	}
	if len(key) < 32 {
		return fmt.Errorf("the secret key has %d characters; it needs 32 or more", len(key))
	}
	s.seal, err = newSealer(key)
	return err
}

// keyPath is the whole path of the key file, for people to find.
func (s *Store) keyPath() string {
	path := filepath.Join(s.opt.DataDir, "secret.key")
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// missingKey says that the key file of a database that knows a key is gone, as
// after a backup was put back that rightly held the database alone. It is an
// os.ErrNotExist.
type missingKey struct{ path string }

func (e *missingKey) Error() string {
	return "the file of the secret key is missing: " + e.path + ". The database beside it was first used with that key: put the file back, or give the key by -secret-key or -secret-key-file"
}

func (e *missingKey) Is(target error) bool { return target == os.ErrNotExist }

// keptKey reads the key file. Where there is none and the database knows no key
// it is made, unless the store only looks. The database is asked first: what it
// knows was in the file before.
func (s *Store) keptKey(ctx context.Context, path string) (string, error) {
	known, err := s.knowsKey(ctx)
	if err != nil {
		return "", err
	}
	key, err := readKey(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && known:
		return "", &missingKey{path}
	case errors.Is(err, os.ErrNotExist) && !s.opt.LookOnly:
		return makeKey(path)
	case err != nil:
		return "", fmt.Errorf("read the secret key: %w", err)
	}
	return key, nil
}

// knowsKey says whether the SQLite database was ever used with a key.
func (s *Store) knowsKey(ctx context.Context) (bool, error) {
	var tables int
	err := s.ro.NewRaw("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'settings'").Scan(ctx, &tables)
	if err != nil || tables == 0 {
		return false, s.wrap(err)
	}
	_, err = s.setting(ctx, s.ro, keySetting)
	if IsCode(err, CodeNotFound) {
		return false, nil
	}
	return err == nil, err
}

func readKey(path string) (string, error) {
	kept, err := os.ReadFile(path)
	return strings.TrimSpace(string(kept)), err
}

// newSecretKey gives 32 random bytes as text.
func newSecretKey() string {
	var random [32]byte
	rand.Read(random[:])
	return base64.StdEncoding.EncodeToString(random[:])
}

// makeKey makes the key file, mode 0600, and gives what is in it, which is
// another process's key where that was faster.
func makeKey(path string) (string, error) {
	key := newSecretKey()
	made := path + "." + newID().String()
	defer os.Remove(made)
	if err := writeSynced(made, key+"\n"); err != nil {
		return "", fmt.Errorf("keep the secret key: %w", err)
	}
	// A link is there whole or not at all, and only once.
	if err := os.Link(made, path); os.IsExist(err) {
		return readKey(path)
	} else if err != nil {
		return "", fmt.Errorf("keep the secret key: %w", err)
	}
	return key, nil
}

func writeSynced(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}

// keySetting holds keyCheck, sealed with the key the database was first used
// with.
const (
	keySetting = "key_check"
	keyCheck   = "belfry"
)

// ErrNoKey says that the database knows no secret key yet: its set-up has not
// come to its end.
var ErrNoKey = errors.New("the database was never used with a secret key; start the server or run the migrate command first")

// noteKey makes the secret key the database's, unless it knows one.
func (s *Store) noteKey(ctx context.Context) error {
	sealed := base64.StdEncoding.EncodeToString(s.seal.close(keySetting, []byte(keyCheck)))
	return s.keepSetting(ctx, s.db, keySetting, sealed)
}

// checkKey refuses a key other than the one the database was first used with.
func (s *Store) checkKey(ctx context.Context) error {
	kept, err := s.setting(ctx, s.ro, keySetting)
	if IsCode(err, CodeNotFound) {
		return ErrNoKey
	}
	if err != nil {
		return err
	}
	if s.keyless != nil {
		return s.keyless
	}
	sealed, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return err
	}
	if _, err := s.seal.open(keySetting, sealed); err != nil {
		return errors.New("the secret key is not the one this database was first used with: give that one (-secret-key, -secret-key-file, or secret.key in the data folder)")
	}
	return nil
}
