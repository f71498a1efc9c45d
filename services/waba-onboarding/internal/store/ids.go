package store

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// firstIDAt is the lowest id that database.NewID can make at a time (RFC 9562, 5.7: the milliseconds come first).
func firstIDAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16) // after 1970
	id[6], id[8] = 0x70, 0x80
	return id
}

// idAt is a version 7 id of a moment; ids of the same moment sort by their order.
func idAt(at time.Time, order int) uuid.UUID {
	id := uuid.New()
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(max(at.UnixMilli(), 0)))
	copy(id[:6], millis[2:])
	id[6], id[7] = 0x70|byte(order>>8)&0x0f, byte(order) //nolint:gosec // the twelve bits that there are
	return id
}
