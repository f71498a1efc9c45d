// Package secret keeps access tokens, authorization codes, PINs and app secrets out of everything that prints.
//
// A Text shows `[redacted]` through every verb of fmt, through slog, and through encoding/json. Its one exit is Reveal,
// so that a search for that name finds each place where a secret leaves. It refuses to be compared with ==, which would
// compare addresses: use Equal.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Text is a secret string. The zero value is empty.
//
// It holds a pointer, because fmt reaches the bytes of an unexported field past its String method, but stops at a
// pointer.
type Text struct {
	_ [0]func() // not comparable
	p *string
}

// New wraps a secret.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{p: &s}
}

// Reveal returns the secret itself.
func (t Text) Reveal() string {
	if t.p == nil {
		return ""
	}
	return *t.p
}

// IsEmpty tells whether there is a secret at all.
func (t Text) IsEmpty() bool { return t.p == nil }

// Equal compares in constant time.
func (t Text) Equal(other Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(other.Reveal())) == 1
}

// Fingerprint is the hex SHA-256 of the secret: enough to recognise it, worthless to a thief where the secret has
// enough entropy of its own. A PIN has not: never fingerprint one.
func (t Text) Fingerprint() string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Format implements fmt.Formatter for all verbs.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// String implements fmt.Stringer.
func (t Text) String() string {
	if t.p == nil {
		return ""
	}
	return redacted
}

// LogValue implements slog.LogValuer.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText implements encoding.TextMarshaler, and through it encoding/json.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler, so that flags and JSON can hold a Text.
func (t *Text) UnmarshalText(b []byte) error {
	*t = New(string(b))
	return nil
}
