package webhook

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// What is split together shares a commit: whatever else wants the database waits for it, on SQLite at least. A large
	// delivery shares it with nobody, since it may hold a thousand updates, for which the others would wait.
	maxTogether      = 256
	maxTogetherBytes = 128 << 10
	large            = 32 << 10
)

// unsplit is a delivery that waits for its turn. settled is told when it has its row, or why it has none.
type unsplit struct {
	store.Delivery
	settled func(error)
}

// turns are deliveries that wait to be split. Each WABA has its turn after the others, so that what one sends delays the
// others by no more than a commit, and what it sends is split in the order in which it came, by one splitter at a time:
// Meta delivers a customer's messages one after the other, and whoever watches them is to see them so.
type turns struct {
	mu    sync.Mutex
	of    map[string][]unsplit // by WABA; one is here while something of it waits or is being split
	order []string             // of the WABAs of which something waits and nothing is being split
	wake  chan struct{}
}

// newTurns are for so many splitters.
func newTurns(splitters int) *turns {
	return &turns{of: map[string][]unsplit{}, wake: make(chan struct{}, splitters)}
}

// add lets a delivery wait.
func (t *turns) add(d unsplit) {
	waba := firstWABA(d.Body)
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting, known := t.of[waba]
	t.of[waba] = append(waiting, d)
	if !known {
		t.queue(waba)
	}
}

// take takes what may share a commit, of the WABAs whose turn it is. Nothing more of them is given out before done.
func (t *turns) take() (together []unsplit, wabas []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := 0
	fits := func(d unsplit) bool {
		return len(together) == 0 || len(together) < maxTogether && size+share(d) <= maxTogetherBytes
	}
	for len(t.order) > 0 {
		waba := t.order[0]
		waiting := t.of[waba]
		count := 0
		for ; count < len(waiting) && fits(waiting[count]); count++ {
			together, size = append(together, waiting[count]), size+share(waiting[count])
		}
		if count == 0 { // it comes first in what is taken next
			break
		}
		clear(waiting[:count]) // their bodies are not to be held for as long as what waits behind them
		t.of[waba] = waiting[count:]
		wabas, t.order = append(wabas, waba), t.order[1:]
	}
	return together, wabas
}

// share is how much of what is split together a delivery takes.
func share(d unsplit) int {
	if d.SizeBytes > large {
		return maxTogetherBytes
	}
	return d.SizeBytes
}

// done ends the turn of WABAs. It tells those of which more waits, to be given another one, and whether anything waits.
func (t *turns) done(wabas []string) (left []string, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, waba := range wabas {
		if len(t.of[waba]) > 0 {
			left = append(left, waba)
		} else {
			delete(t.of, waba)
		}
	}
	return left, len(left)+len(t.order) > 0
}

// again gives WABAs a turn after the others.
func (t *turns) again(wabas []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, waba := range wabas {
		t.queue(waba)
	}
}

// queue gives a WABA a turn after the others. Callers hold mu.
func (t *turns) queue(waba string) {
	t.order = append(t.order, waba)
	select {
	case t.wake <- struct{}{}:
	default: // all are woken, and whoever is takes until nothing is left
	}
}

// firstWABA is whose the first entry of a delivery is; empty where it can not be told. It reads no further than that.
func firstWABA(body []byte) string {
	dec := json.NewDecoder(bytes.NewReader(body))
	var id looseID
	if !enter(dec, "entry") {
		return ""
	}
	if token, err := dec.Token(); err != nil || token != json.Delim('[') || !enter(dec, "id") || dec.Decode(&id) != nil {
		return ""
	}
	return string(id)
}

// enter reads on into an object, up to the value of a key.
func enter(dec *json.Decoder, key string) (found bool) {
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil || name == key {
			return err == nil
		}
		var other json.RawMessage
		if dec.Decode(&other) != nil {
			return false
		}
	}
	return false
}
