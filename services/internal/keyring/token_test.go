package keyring_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/internal/keyring"
)

func TestATokenCarriesItsPayloadUnseen(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for _, payload := range [][]byte{nil, []byte("x"), []byte(`{"after":"0190a1"}`), bytes.Repeat([]byte{0}, 735)} {
		token, err := k.SealToken("page", "org-1", payload)
		if err != nil {
			t.Fatal(err)
		}
		if len(token) > 1024 || !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(token) {
			t.Errorf("a token of %d letters: %s", len(token), token)
		}
		got, err := k.OpenToken("page", "org-1", token)
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := k.SealToken("page", "org-1", make([]byte, 736)); err == nil {
		t.Error("a payload was sealed that does not fit")
	}
	if _, err := k.SealToken("", "org-1", nil); err == nil {
		t.Error("a token without a purpose was sealed")
	}
}

func TestATokenIsGoodForItsPurposeAndOrganizationAlone(t *testing.T) {
	t.Parallel()
	k := setup(t)
	token, err := k.SealToken("page", "org-1", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	last := token[len(token)-1]
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":        func() ([]byte, error) { return k.OpenToken("connect", "org-1", token) },
		"no purpose":             func() ([]byte, error) { return k.OpenToken("", "org-1", token) },
		"another organization":   func() ([]byte, error) { return k.OpenToken("page", "org-2", token) },
		"no organization":        func() ([]byte, error) { return k.OpenToken("page", "", token) },
		"a letter across":        func() ([]byte, error) { return k.OpenToken("pageo", "rg-1", token) },
		"another keyring":        func() ([]byte, error) { return setup(t).OpenToken("page", "org-1", token) },
		"empty":                  func() ([]byte, error) { return k.OpenToken("page", "org-1", "") },
		"cut":                    func() ([]byte, error) { return k.OpenToken("page", "org-1", token[:len(token)-1]) },
		"padded":                 func() ([]byte, error) { return k.OpenToken("page", "org-1", token+"=") },
		"line break":             func() ([]byte, error) { return k.OpenToken("page", "org-1", token[:9]+"\r\n"+token[9:]) },
		"standard alphabet":      func() ([]byte, error) { return k.OpenToken("page", "org-1", "+/"+token[2:]) },
		"other unused last bits": func() ([]byte, error) { return k.OpenToken("page", "org-1", token[:len(token)-1]+string(last+1)) },
		"too long":               func() ([]byte, error) { return k.OpenToken("page", "org-1", strings.Repeat("A", 1025)) },
		"as a row's secret": func() ([]byte, error) {
			text, err := k.Open(raw, keyring.Context{Purpose: "page", Organization: "org-1", RowID: "x"})
			return []byte(text.Reveal()), err
		},
		"a row's secret as a token": func() ([]byte, error) {
			sealed := seal(t, k, place()).Ciphertext
			return k.OpenToken("access-token", "org-1", base64.RawURLEncoding.EncodeToString(sealed))
		},
	} {
		if got, err := open(); !errors.Is(err, keyring.ErrIntegrity) || len(got) != 0 {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAPlatformCallersTokenIsBoundToNoOrganization(t *testing.T) {
	t.Parallel()
	k := setup(t)
	token, err := k.SealToken("page", "", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.OpenToken("page", "", token); err != nil {
		t.Error(err)
	}
	if _, err := k.OpenToken("page", "org-1", token); !errors.Is(err, keyring.ErrIntegrity) {
		t.Errorf("opened for an organization: %v", err)
	}
}

// FuzzOpenToken brings tokens that nobody made. Each that opens is the one that was made, letter by letter.
func FuzzOpenToken(f *testing.F) {
	k := setup(f)
	real, err := k.SealToken("page", "org-1", []byte("payload"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("page", "org-1", real)
	f.Add("page", "org-2", real)
	f.Add("page", "org-1", real+"\n")
	f.Add("", "", "")
	f.Add("page", "org-1", strings.Repeat("_", 2000))
	f.Fuzz(func(t *testing.T, purpose, organization, token string) {
		got, err := k.OpenToken(purpose, organization, token)
		genuine := token == real && purpose == "page" && organization == "org-1"
		if (err == nil) != genuine || (err != nil && got != nil) {
			t.Errorf("opened %q for %q of %q: %v", token, purpose, organization, err)
		}
	})
}
