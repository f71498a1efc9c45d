package webhook

import (
	"bytes"
	"context"
)

// isBulk tells the deliveries that hold nothing but what a number brings along from the WhatsApp Business app: messages
// of months and an address book, megabytes at a time. Their order says nothing, neither among themselves nor beside what
// comes live, so that they go by a way of their own, where nobody else's messages wait behind them. It parses nothing: a
// key can not be forged inside a text, where its quotes are escaped, and what is taken for something else goes by the
// way of the others.
func isBulk(body []byte) (bulk bool) {
	const spaces = " \t\r\n"
	for {
		_, after, found := bytes.Cut(body, []byte(`"field"`))
		if !found {
			return bulk
		}
		body = bytes.TrimLeft(after, spaces)
		value, isKey := bytes.CutPrefix(body, []byte(":"))
		if !isKey {
			continue
		}
		value = bytes.TrimLeft(value, spaces)
		if !bytes.HasPrefix(value, []byte(`"history"`)) && !bytes.HasPrefix(value, []byte(`"smb_app_state_sync"`)) {
			return false
		}
		bulk = true
	}
}

// keepers make bulk durable by one committer and everything else by another, so that a small body does not wait until
// megabytes are written.
type keepers struct{ live, bulk Keeper }

// Keeper is where intake hands bodies to, which are then split.
func (s *Splitter) Keeper() Keeper {
	by := func(l *line) Keeper {
		return NewCommitter(func(ctx context.Context, bodies [][]byte) error { return s.keep(ctx, l, bodies) })
	}
	return keepers{live: by(s.live), bulk: by(s.bulk)}
}

// Keep implements Keeper.
func (k keepers) Keep(body []byte) error {
	if isBulk(body) {
		return k.bulk.Keep(body)
	}
	return k.live.Keep(body)
}
