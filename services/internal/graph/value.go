package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The values of Graph's JSON, read as leniently as Meta writes them: ids come as strings and as numbers, booleans and
// times as strings, and fields change their shape between versions. What decides something is read strictly all the
// same, by those who need it.

const (
	maxText  = 512
	maxIDLen = 32
)

// text is for showing: what is no string or number counts as absent, since a changed field must not fail a claim.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = text(clean(s, maxText))
	case isNumber(raw):
		*t = text(clean(string(raw), maxText))
	default:
		*t = ""
	}
	return nil
}

// words are a sentence of Meta's, kept whole until it is scrubbed: what is cut first can hide half a secret.
type words string

func (w *words) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*w = words(s)
	}
	return nil
}

// id is an object's id. A number keeps every digit: these ids outgrow the 53 bits of a float.
type id string

func (i *id) UnmarshalJSON(raw []byte) error {
	value := string(raw)
	if bytes.Equal(raw, []byte("null")) {
		*i = ""
		return nil
	}
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &value); err != nil {
			return fmt.Errorf("id: %w", err)
		}
	}
	if !isID(value) {
		return fmt.Errorf("an id is not 1 to %d digits", maxIDLen)
	}
	*i = id(value)
	return nil
}

func isID(s string) bool {
	if s == "" || len(s) > maxIDLen {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

// number is a whole number, or a string that holds one. null is 0.
type number int64

func (n *number) UnmarshalJSON(raw []byte) error {
	value := strings.Trim(string(raw), `"`)
	if value == "null" {
		*n = 0
		return nil
	}
	parsed, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return errors.New("a number is not whole or too large")
	}
	*n = number(parsed)
	return nil
}

// seconds reads an expires_in. One that makes no sense counts as none: debug_token will tell, and the token that it
// came with must not be lost over it.
type seconds time.Duration

func (s *seconds) UnmarshalJSON(raw []byte) error {
	var n number
	if err := n.UnmarshalJSON(raw); err != nil || n < 0 || int64(n) > math.MaxInt64/int64(time.Second) {
		n = 0
	}
	*s = seconds(time.Duration(n) * time.Second)
	return nil
}

// moment is a Unix time, of which 0 means never.
type moment struct{ time.Time }

// lastMoment is the end of the year 9999. Larger numbers are milliseconds or nonsense.
const lastMoment = 253402300799

func (m *moment) UnmarshalJSON(raw []byte) error {
	var n number
	if err := n.UnmarshalJSON(raw); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	if n < 0 || n > lastMoment {
		return errors.New("a time is out of range")
	}
	*m = moment{}
	if n != 0 {
		m.Time = time.Unix(int64(n), 0).UTC()
	}
	return nil
}

// flag is true, false, or either as a string: Meta's own sample of oauth/revoke answers "true". Nothing else is taken
// for false, since a false is_valid costs a customer their token.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	switch strings.Trim(string(raw), `"`) {
	case "true":
		*f = true
	case "false", "null":
		*f = false
	default:
		return errors.New("a flag is neither true nor false")
	}
	return nil
}

// loose is a value that may have any other shape, and then counts as absent.
type loose[T any] struct{ value T }

func (l *loose[T]) UnmarshalJSON(raw []byte) error {
	var value T
	if json.Unmarshal(raw, &value) == nil {
		l.value = value
	}
	return nil
}

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'))
}
