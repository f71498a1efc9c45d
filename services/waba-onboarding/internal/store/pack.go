package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
)

// maxUnpacked bounds what a batch may hold: what intake gathers, and the frames.
const maxUnpacked = 16 << 20

// packer frames bodies, each after its length as an unsigned varint, and compresses them as one S2 block. It keeps its
// memory for the next batch.
type packer struct{ framed, packed []byte }

var packers = sync.Pool{New: func() any { return new(packer) }}

// pack answers bytes that are good until the next pack.
func (p *packer) pack(bodies [][]byte) []byte {
	p.framed = p.framed[:0]
	for _, body := range bodies {
		p.framed = binary.AppendUvarint(p.framed, uint64(len(body)))
		p.framed = append(p.framed, body...)
	}
	p.packed = s2.Encode(p.packed[:cap(p.packed)], p.framed)
	return p.packed
}

// ErrDamaged says that the bytes of a batch are not what was written.
var ErrDamaged = errors.New("damaged")

// unpack undoes pack, into memory of its own.
func unpack(packed []byte) (bodies [][]byte, err error) {
	if size, err := s2.DecodedLen(packed); err == nil && size > maxUnpacked {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, size)
	}
	framed, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for len(framed) > 0 {
		length, n := binary.Uvarint(framed)
		if n <= 0 || length > maxUnpacked {
			return nil, fmt.Errorf("%w: a body has no length", ErrDamaged)
		}
		end := n + int(length)
		if end > len(framed) {
			return nil, fmt.Errorf("%w: a body passes the end", ErrDamaged)
		}
		bodies, framed = append(bodies, framed[n:end:end]), framed[end:]
	}
	return bodies, nil
}
