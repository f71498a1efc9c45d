package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// maxUpdates is how many changes Meta puts into one POST at most.
const maxUpdates = 1000

// Sending says how webhooks travel. The zero value is the usual: one POST for each change, in order, at once.
type Sending struct {
	// Duplicates are further copies of each POST, byte for byte.
	Duplicates int `json:"duplicates,omitempty"`
	// Reverse and Shuffle change the order of the changes.
	Reverse bool `json:"reverse,omitempty"`
	Shuffle bool `json:"shuffle,omitempty"`
	// Batch puts the changes into as few POSTs as their callbacks allow.
	Batch Batch `json:"batch,omitempty"`
	// DelayMs sends later and by itself: the call does not wait for it. Advance lets that time pass.
	DelayMs int64 `json:"delayMs,omitempty"`
	// Time is entry.time: true and false mean present and absent, a number is that time. Default is what Meta does
	// for the field.
	Time EntryTime `json:"time,omitempty"`
	// Force sends though the WABA is not subscribed.
	Force bool `json:"force,omitempty"`
	// NoRetry leaves it at one attempt.
	NoRetry bool `json:"noRetry,omitempty"`
}

// Batch is one of the Batch constants; JSON true is BatchChanges.
type Batch string

// Batches.
const (
	BatchChanges Batch = "changes" // one entry for each WABA with all its changes
	BatchEntries Batch = "entries" // an entry of its own for each change
)

// UnmarshalJSON implements json.Unmarshaler.
func (b *Batch) UnmarshalJSON(data []byte) error {
	text, err := textOrTrue(data, string(BatchChanges))
	if err != nil {
		return errors.New(`batch: want true, "changes" or "entries"`)
	}
	*b = Batch(text)
	return nil
}

// EntryTime is a Unix time, or one of the EntryTime constants.
type EntryTime int64

// What JSON writes as true and false.
const (
	TimeNow  EntryTime = -1
	TimeNone EntryTime = -2
)

// UnmarshalJSON implements json.Unmarshaler.
func (t *EntryTime) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true":
		*t = TimeNow
		return nil
	case "false":
		*t = TimeNone
		return nil
	}
	var unix int64
	if json.Unmarshal(data, &unix) != nil || unix < 0 {
		return errors.New("time: want true, false or a Unix time")
	}
	*t = EntryTime(unix)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (t EntryTime) MarshalJSON() ([]byte, error) {
	switch t {
	case TimeNow:
		return []byte("true"), nil
	case TimeNone:
		return []byte("false"), nil
	default:
		return strconv.AppendInt(nil, int64(t), 10), nil
	}
}

func (h Sending) validate() error {
	var faults []error
	if h.Duplicates < 0 || h.Duplicates > 1000 {
		faults = append(faults, fmt.Errorf("duplicates %d: want 0 to 1000", h.Duplicates))
	}
	if h.DelayMs < 0 {
		faults = append(faults, fmt.Errorf("delayMs %d: want no less than 0", h.DelayMs))
	}
	if h.Batch != "" {
		faults = append(faults, oneOf("batch", string(h.Batch), string(BatchChanges), string(BatchEntries)))
	}
	return errors.Join(faults...)
}

func (h Sending) delay() time.Duration { return time.Duration(h.DelayMs) * time.Millisecond }

// arrange puts events into the order and the times that were asked for.
func (h Sending) arrange(events []event, now time.Time) []event {
	arranged := slices.Clone(events)
	if h.Reverse {
		slices.Reverse(arranged)
	}
	if h.Shuffle {
		//nolint:gosec // any order will do, and nobody gains by foreseeing it
		rand.Shuffle(len(arranged), func(i, j int) { arranged[i], arranged[j] = arranged[j], arranged[i] })
	}
	for i := range arranged {
		switch h.Time {
		case 0:
		case TimeNow:
			arranged[i].Time = now.Unix()
		case TimeNone:
			arranged[i].Time = 0
		default:
			arranged[i].Time = int64(h.Time)
		}
	}
	return arranged
}

// envelope is the body of a POST. Its entries may belong to several WABAs.
type envelope struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	ID      string   `json:"id"`
	Time    int64    `json:"time,omitempty"`
	Changes []change `json:"changes"`
}

type change struct {
	Value json.RawMessage `json:"value"`
	Field string          `json:"field"`
}

// envelopeOf puts events into one body.
func (h Sending) envelopeOf(events []event) envelope {
	body := envelope{Object: objectWABA, Entry: []entry{}}
	for _, e := range events {
		at := slices.IndexFunc(body.Entry, func(there entry) bool { return there.ID == e.EntryID })
		if at < 0 || h.Batch == BatchEntries {
			at = len(body.Entry)
			body.Entry = append(body.Entry, entry{ID: e.EntryID, Time: e.Time})
		}
		body.Entry[at].Changes = append(body.Entry[at].Changes, change{Value: e.Value, Field: e.Field})
	}
	return body
}

// compose makes the POSTs of events and tells why others get none. Callers hold mu.
func (s *Simulator) compose(events []event, how Sending) (letters []*letter, withheld []string) {
	byCallback := map[string][]event{}
	callbacks := []string{}
	for _, e := range how.arrange(events, s.now()) {
		callback, reason := s.world.route(e, how.Force)
		if reason != "" {
			s.logWithheld(e, reason)
			if !slices.Contains(withheld, reason) {
				withheld = append(withheld, reason)
			}
			continue
		}
		if byCallback[callback] == nil {
			callbacks = append(callbacks, callback)
		}
		byCallback[callback] = append(byCallback[callback], e)
	}
	size := 1
	if how.Batch != "" {
		size = maxUpdates
	}
	for _, callback := range callbacks {
		for chunk := range slices.Chunk(byCallback[callback], size) {
			body := metaJSON(how.envelopeOf(chunk))
			for range 1 + how.Duplicates {
				letters = append(letters, s.newLetter(callback, body, chunk, how))
			}
		}
	}
	return letters, withheld
}
