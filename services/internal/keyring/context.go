package keyring

import (
	"encoding/binary"
	"errors"
)

// Names of the two formats of associated data. A row's secret never opens as a caller's token, nor the other way round.
const (
	rowFormat   = "whatrack-connect/row/v1"
	tokenFormat = "whatrack-connect/token/v1"
)

// Context is the place that a secret is sealed for. Opening it needs the very same.
//
// The associated data are the format's name, Purpose, Organization and RowID, each as its length in four bytes (big
// endian) and its bytes, then Version in eight bytes. The lengths keep ("a", "bc") apart from ("ab", "c").
type Context struct {
	Purpose      string // what the secret is: "access-token", "pin"
	Organization string
	RowID        string
	Version      int64 // of the row's secret: an older one that is put back does not open
}

// check refuses a place that is none: a forgotten field would bind nothing, and nobody would notice.
func (c Context) check() error {
	if c.Purpose == "" || c.Organization == "" || c.RowID == "" {
		return errors.New("keyring: a context needs purpose, organization and row id")
	}
	return nil
}

func (c Context) associatedData() []byte {
	data := joined(rowFormat, c.Purpose, c.Organization, c.RowID)
	return binary.BigEndian.AppendUint64(data, uint64(c.Version)) //nolint:gosec // any bits will do, as long as they are the same ones
}

func joined(parts ...string) []byte {
	size := 8
	for _, part := range parts {
		size += 4 + len(part)
	}
	data := make([]byte, 0, size)
	for _, part := range parts {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part))) //nolint:gosec // no part has 4 GiB
		data = append(data, part...)
	}
	return data
}
