package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// loadWorld reads the state file. One that does not exist yet is an empty world; one that can not be read is an
// error, since starting empty would overwrite it.
func loadWorld(path string) (*world, error) {
	w := newWorld()
	if path == "" {
		return w, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if err := decodeStrict(data, w); err != nil {
		return nil, fmt.Errorf("state file %s: %w", path, err)
	}
	return w, nil
}

// Save writes the state file, if there is one. The simulator saves after each change by itself; the error is for
// those who want to hear it.
func (s *Simulator) Save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// persist saves after a change. Callers hold mu. A simulator that can not save goes on in memory: the test or the
// person at the page is not helped by a Meta that fails for reasons of its own disk.
func (s *Simulator) persist() {
	if err := s.save(); err != nil {
		s.cfg.Log.Error("state not saved", "error", err)
	}
}

func (s *Simulator) save() error {
	if s.cfg.StateFile == "" {
		return nil
	}
	data, err := json.Marshal(s.world)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := writeFileAtomic(s.cfg.StateFile, data); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// writeFileAtomic replaces a file so that a reader, or a crash, sees the old content or the new one. os.CreateTemp
// makes the file 0600, which the rename keeps.
func writeFileAtomic(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
