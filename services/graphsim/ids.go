package graphsim

import (
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"strings"
)

// newID makes an id of Meta's look: a prefix filled up with random digits. Random, so that a database which outlives
// a reset of the simulator does not meet its ids again.
func newID(prefix string, length int) string {
	var b strings.Builder
	b.WriteString(prefix)
	for b.Len() < length {
		b.WriteByte("0123456789"[randomInt(10)])
	}
	return b.String()
}

func newWABAID() string     { return newID("10", 15) }
func newPhoneID() string    { return newID("1", 15) }
func newBusinessID() string { return newID("27", 16) }
func newUserID() string     { return newID("12", 17) }

// newCode makes an authorization code. Meta's start with AQ and have more than 300 characters.
func newCode() string { return "AQ" + randomText(320) }

// newToken makes an access token. Meta's start with EAA; their length varies and is not documented.
func newToken() string {
	return "EAA" + strings.NewReplacer("-", "Z", "_", "Z").Replace(randomText(200))
}

// newTraceID makes an fbtrace_id.
func newTraceID() string { return "A" + randomText(22) }

// randomText makes n characters of the URL-safe base64 alphabet.
func randomText(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}

func randomInt(n int64) int64 {
	i, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil { // only when the reader fails, which crypto/rand's does not
		return 0
	}
	return i.Int64()
}
