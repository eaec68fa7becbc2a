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

func (s *Store) openSeal() error {
	key := s.opt.SecretKey
	if key == "" && s.opt.DatabaseURL != "" {
		return errKey
	}
	if key == "" {
		var err error
		if key, err = keptKey(filepath.Join(s.opt.DataDir, "secret.key")); err != nil {
			return err
		}
	}
	if len(key) < 32 {
		return fmt.Errorf("the secret key has %d characters; it needs 32 or more", len(key))
	}
	var err error
	s.seal, err = newSealer(key)
	return err
}

// keptKey reads the key file, or makes it once: 32 random bytes, mode 0600.
func keptKey(path string) (string, error) {
	kept, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(kept)), nil
	}
	if !os.IsNotExist(err) {
		return "", fmt.Errorf("read the secret key: %w", err)
	}
	var random [32]byte
	rand.Read(random[:])
	key := base64.StdEncoding.EncodeToString(random[:])
	made := path + "." + newID().String()
	defer os.Remove(made)
	if err := writeSynced(made, key+"\n"); err != nil {
		return "", fmt.Errorf("keep the secret key: %w", err)
	}
	// A link is there whole or not at all, and only once.
	if err := os.Link(made, path); os.IsExist(err) {
		return keptKey(path)
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

const keyCheck = "belfry"

// checkKey refuses a key other than the one the database was first used with.
func (s *Store) checkKey(ctx context.Context) error {
	kept, err := s.setting(ctx, s.db, "key_check")
	if IsCode(err, CodeNotFound) {
		sealed := base64.StdEncoding.EncodeToString(s.seal.close("key_check", []byte(keyCheck)))
		if err := s.keepSetting(ctx, s.db, "key_check", sealed); err != nil {
			return err
		}
		kept, err = s.setting(ctx, s.db, "key_check")
	}
	if err != nil {
		return err
	}
	sealed, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return err
	}
	if _, err := s.seal.open("key_check", sealed); err != nil {
		return errors.New("the secret key is not the one this database was first used with: give that one (-secret-key, -secret-key-file, or secret.key in the data folder)")
	}
	return nil
}
