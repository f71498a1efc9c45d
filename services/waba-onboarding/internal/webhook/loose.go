package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// decode reads JSON into a value. A part that has another type than Meta documents stays empty, and the rest is read all
// the same: Meta adds and changes parts, and none of that may hide a message. It holds for parts whose UnmarshalJSON
// never fails, as those below: at an error of one of them, or of a json.Number, the reading ends.
func decode(raw []byte, into any) bool {
	var syntax *json.SyntaxError
	return !errors.As(json.Unmarshal(raw, into), &syntax)
}

// looseID is an id or a number of Meta's, written as a string or as a number, as it came. What is neither is none, and so
// is one with a NUL, which no column takes: mended, it would be somebody else's.
type looseID string

// UnmarshalJSON implements json.Unmarshaler.
func (id *looseID) UnmarshalJSON(b []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		if !strings.ContainsRune(s, 0) {
			*id = looseID(s)
		}
	case json.Unmarshal(b, &n) == nil:
		*id = looseID(n)
	}
	return nil
}

// ofDigits is the id of an account or a number; none where it has another form.
func (id looseID) ofDigits() string {
	if !digits.MatchString(string(id)) {
		return ""
	}
	return string(id)
}

// wamid is the id of a message.
func (id looseID) wamid() string { return clean(string(id), 512) }

// seconds are a time of Meta's: a Unix time, as a number or a string.
type seconds string

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(b []byte) error {
	*s = seconds(bytes.Trim(b, `"`))
	return nil
}

// year10000 is the first second that neither JSON nor protobuf has a form for: a row with it could never be shown.
const year10000 = 253402300800

// time is nil for what is no time.
func (s seconds) time() *time.Time {
	unix, err := strconv.ParseInt(string(s), 10, 64)
	if len(s) == len("1750030073000") {
		unix /= 1000 // milliseconds: as seconds it were thousands of years away
	}
	if err != nil || unix <= 0 || unix >= year10000 {
		return nil
	}
	at := time.Unix(unix, 0).UTC()
	return &at
}
