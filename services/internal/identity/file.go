package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// interval is how often the file is looked at: a caller struck from it is refused within about this time.
const interval = 2 * time.Second

// file is where a list came from.
type file struct {
	path string
	opts Options
	log  *slog.Logger
	// seen is what the file held when it was last looked at, good or not: a fault is reported once.
	seen []byte
	// missing tells that the file could not be read the last time.
	missing bool
}

// Load reads CALLERS_FILE, and answers all its faults at once. Watch follows its changes.
func Load(path string, opts Options, log *slog.Logger) (*Callers, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("CALLERS_FILE: %w", err)
	}
	l, err := parseList(data, opts)
	if err != nil {
		return nil, fmt.Errorf("CALLERS_FILE %s: %w", path, err)
	}
	c := &Callers{file: &file{path: path, opts: opts, log: log, seen: data}}
	c.list.Store(l)
	return c, nil
}

// Watch takes over changes of the file until ctx ends. A file that is half-written, broken or gone changes nothing and
// is reported once: callers that were let in stay in until somebody says otherwise in full. It compares the content, not
// the time: two writes may fall into one tick of the file system's clock.
func (c *Callers) Watch(ctx context.Context) error {
	if c.file == nil {
		return nil
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			c.reload(ctx)
		}
	}
}

func (c *Callers) reload(ctx context.Context) {
	f := c.file
	data, err := readFile(f.path)
	if err != nil {
		if !f.missing {
			f.log.WarnContext(ctx, "callers file can not be read, the list before it stays", "path", f.path, "error", err)
		}
		f.missing = true
		return
	}
	f.missing = false
	if bytes.Equal(data, f.seen) {
		return
	}
	f.seen = data
	l, err := parseList(data, f.opts)
	if err != nil {
		f.log.WarnContext(ctx, "callers file is not valid, the list before it stays", "path", f.path, "error", err)
		return
	}
	c.list.Store(l)
	f.log.InfoContext(ctx, "callers file taken over", "path", f.path, "tokens", len(l.byToken), "names", len(l.byName))
}

func parseList(data []byte, opts Options) (*list, error) {
	entries, err := parse(data)
	if err != nil {
		return nil, err
	}
	return newList(opts, entries)
}

func readFile(path string) (data []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // G304: the path is a setting of the operator
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, err
}
