package signature

import (
	"errors"
	"strings"
	"testing"
)

func TestGeneratedSecretsAreGoodAndDiffer(t *testing.T) {
	a, b := Generate(), Generate()
	if a == b {
		t.Fatal("two generated secrets are equal")
	}
	if err := Check(a); err != nil {
		t.Fatal(err)
	}
	if key, err := standardKey(a); err != nil || len(key) != 32 || !strings.HasPrefix(a, "whsec_") {
		t.Fatalf("secret of %d bytes, %v, want 32 after whsec_", len(key), err)
	}
}

func TestCheckSaysWhatIsWrongWithASecret(t *testing.T) {
	cases := []struct {
		secret string
		want   error
	}{
		{"1234567", ErrSecretLength},
		{"12345678", nil},
		{strings.Repeat("x", 256), nil},
		{strings.Repeat("x", 257), ErrSecretLength},
		{"", ErrSecretLength},
		{"with a space ~!", nil},
		{"with\ttab here", ErrSecretCharacters},
		{"with\x7fdelete", ErrSecretCharacters},
		{"pässword", ErrSecretCharacters},
		{"whsec_not base64", ErrSecretEncoding},
		{"whsec_AAEC", nil},
		{"whsec_AAE", ErrSecretEncoding},
		{"whsec_AAE=", nil},
		{"WHSEC_not base64", nil},
	}
	for _, c := range cases {
		if err := Check(c.secret); !errors.Is(err, c.want) {
			t.Errorf("Check(%q) = %v, want %v", c.secret, err, c.want)
		}
	}
}
