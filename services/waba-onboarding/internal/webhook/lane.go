package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/maphash"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// laneCount is how many commits split at a time: intake needs the database too.
	laneCount  = 4
	laneLength = 2048
	// What is split together shares a commit: whatever else wants the database waits for it, on SQLite at least.
	maxTogether      = 256
	maxTogetherBytes = 512 << 10
)

// unsplit is a delivery that waits in a lane. settled is told when it has its row, or why it has none.
type unsplit struct {
	store.Delivery
	settled func(error)
}

// lane is deliveries that are split in the order in which they came.
type lane chan unsplit

// lanes are split side by side. What a WABA sends is all in one of them: Meta delivers a customer's messages one after
// the other, and whoever watches them is to see them so.
type lanes [laneCount]lane

func newLanes() (ls lanes) {
	for i := range ls {
		ls[i] = make(lane, laneLength)
	}
	return ls
}

var laneSeed = maphash.MakeSeed()

// hand waits until there is room in the lane of a delivery.
func (ls *lanes) hand(ctx context.Context, d unsplit) error {
	l := ls[maphash.String(laneSeed, firstWABA(d.Body))%laneCount]
	select {
	case <-ctx.Done():
		return ctx.Err()
	case l <- d:
		return nil
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

// gather takes what queued behind the first, up to what may share a commit.
func (l lane) gather(first unsplit) []unsplit {
	together := []unsplit{first}
	for size := first.SizeBytes; len(together) < maxTogether && size < maxTogetherBytes; {
		select {
		case d := <-l:
			together, size = append(together, d), size+d.SizeBytes
		default:
			return together
		}
	}
	return together
}
