package webhook

import "sync/atomic"

// Memory bounds the bytes of all bodies that are being read or wait to be kept.
type Memory struct {
	limit int64
	used  atomic.Int64
}

// NewMemory makes a bound.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// held is what one request takes of the memory, as it goes.
type held struct {
	memory *Memory
	bytes  int64
}

func (m *Memory) hold() *held { return &held{memory: m} }

// smallBody is up to where a body may have what is left for small ones: nearly all are, and large ones that come many at a
// time must not turn them away.
const smallBody = 64 << 10

func (h *held) more(n int64) bool {
	limit := h.memory.limit
	if h.bytes+n > smallBody {
		limit -= limit / 8
	}
	if h.memory.used.Add(n) > limit {
		h.memory.used.Add(-n)
		return false
	}
	h.bytes += n
	return true
}

func (h *held) release() { h.memory.used.Add(-h.bytes) }
