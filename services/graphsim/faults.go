package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// errNoFault says that no fault has an id.
var errNoFault = errors.New("no such fault")

// faults are the scripted failures in the order in which they were added. Used ones stay listed, so that a test can
// see what happened.
type faults struct {
	mu     sync.Mutex
	lastID int
	list   []*scripted
}

// scripted is a fault with what has become of it.
type scripted struct {
	Fault
	Hits int `json:"hits"`
	Left int `json:"left"` // -1: without end

	gate     chan struct{} // closed when the fault is released
	released bool
}

// AddFault scripts a failure and answers its id. It panics on a Fault that the control plane would refuse.
func (s *Simulator) AddFault(f Fault) string {
	return must(s.faults.add(f))
}

// Release lets go what a fault holds, now and from now on: a release that comes before the request is not lost. An
// unknown id is ignored.
func (s *Simulator) Release(id string) {
	_ = s.faults.release(id) // documented: unknown ids are ignored
}

func (fs *faults) add(f Fault) (string, error) {
	if err := f.validate(); err != nil {
		return "", err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.lastID++
	f.ID = fmt.Sprintf("fault-%d", fs.lastID)
	left := f.Times
	if left == 0 {
		left = 1
	}
	fs.list = append(fs.list, &scripted{Fault: f, Left: left, gate: make(chan struct{})})
	return f.ID, nil
}

// take finds the fault for a request and uses it up once; nil when there is none.
func (fs *faults) take(method, path string, p params) *scripted {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if f.Left == 0 || !f.matches(method, path, p) {
			continue
		}
		f.Hits++
		if f.Left > 0 {
			f.Left--
		}
		return f
	}
	return nil
}

func (fs *faults) release(id string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if f.ID == id {
			f.open()
			return nil
		}
	}
	return errNoFault
}

func (fs *faults) remove(id string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	at := slices.IndexFunc(fs.list, func(f *scripted) bool { return f.ID == id })
	if at < 0 {
		return errNoFault
	}
	fs.list[at].open()
	fs.list = slices.Delete(fs.list, at, at+1)
	return nil
}

func (fs *faults) clear() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		f.open()
	}
	fs.list = nil
}

// encode writes the list as JSON while nobody changes it.
func (fs *faults) encode() ([]byte, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.list == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(fs.list)
}

// open lets go what the fault holds. Callers hold the list's lock.
func (f *scripted) open() {
	if !f.released {
		f.released = true
		close(f.gate)
	}
}
