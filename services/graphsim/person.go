package graphsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// How webhooks name a customer, who may have a phone number, a business-scoped user id (BSUID), or both.
const (
	BSUIDBoth    = "a"    // phone number and user id
	BSUIDAbsent  = "b"    // from and wa_id are absent
	BSUIDEmpty   = "c"    // from and wa_id are empty strings
	BSUIDInPhone = "d"    // the user id stands in from and wa_id
	BSUIDNone    = "none" // the phone number alone, as before 2026
)

// person is a customer of the business.
type person struct {
	phone   string // digits; empty: only the user id is known
	userID  string
	variant string // one of the BSUID constants
}

// personOf names the customer with this phone number. The user id follows from the number unless one is given, so that
// the same number is the same person everywhere.
func personOf(phone, userID, variant string) person {
	return person{phone: phone, userID: cmp.Or(userID, userIDOf(phone)), variant: cmp.Or(variant, BSUIDBoth)}
}

// name puts the customer's ids into a JSON object under the keys that it has for them.
func (p person) name(into jsonObject, phoneKey, userKey string) jsonObject {
	if p.variant != BSUIDNone && p.variant != BSUIDInPhone {
		into[userKey] = p.userID
	}
	switch p.variant {
	case BSUIDAbsent:
	case BSUIDEmpty:
		into[phoneKey] = ""
	case BSUIDInPhone:
		into[phoneKey] = p.userID
	default:
		if p.phone != "" {
			into[phoneKey] = p.phone
		}
	}
	return into
}

// userIDOf makes the BSUID of a phone number.
func userIDOf(phone string) string {
	sum := sha256.Sum256([]byte(phone))
	return fmt.Sprintf("BR.%017d", binary.BigEndian.Uint64(sum[:8])%1e17)
}

// isUserID tells whether s is a BSUID, or a parent one: US.13491208655302741918, US.ENT.11815799212886844830.
func isUserID(s string) bool {
	return regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`).MatchString(s)
}

// newWamid makes a message id of Meta's look: base64 of a little binary format with the customer's number in it.
func newWamid(customer string) string {
	raw := append([]byte{0x1c, 0x18, byte(min(len(customer), 255))}, customer...)
	raw = append(raw, 0x15, 0x02, 0x00, 0x11, 0x18, 0x14)
	raw = append(raw, strings.ToUpper(hex.EncodeToString([]byte(randomText(10))))...)
	return "wamid." + base64.StdEncoding.EncodeToString(append(raw, 0))
}

// digits leaves of a phone number what Meta's ids of it have.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
