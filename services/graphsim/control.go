package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxControlBody bounds a control call's body: room for a webhook of Meta's 3 MB that is written as a JSON string.
const maxControlBody = 16 << 20

// errNoWABA says that no WABA has an id.
var errNoWABA = errors.New("no such WABA")

// controlPlane routes /_sim. The package comment is its reference.
func (s *Simulator) controlPlane() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_sim/signups", s.controlSignUp)
	mux.HandleFunc("POST /_sim/tokens/{target}", s.controlInvalidate)
	mux.HandleFunc("POST /_sim/wabas/{target}", s.controlWABA)
	mux.HandleFunc("POST /_sim/faults", s.controlAddFault)
	mux.HandleFunc("GET /_sim/faults", s.controlListFaults)
	mux.HandleFunc("DELETE /_sim/faults/{id}", s.controlRemoveFault)
	mux.HandleFunc("POST /_sim/faults/{target}", s.controlReleaseFault)
	mux.HandleFunc("POST /_sim/clock", s.controlClock)
	mux.HandleFunc("GET /_sim/requests", s.controlRequests)
	mux.HandleFunc("POST /_sim/reset", s.controlReset)
	mux.HandleFunc("GET /_sim/dialog", s.controlShowDialog)
	mux.HandleFunc("POST /_sim/dialog", s.controlSetDialog)
	s.controlWebhooks(mux)
	s.controlPages(mux)
	return mux
}

func (s *Simulator) controlSignUp(w http.ResponseWriter, r *http.Request) {
	var spec SignUp
	if !readControl(w, r, &spec) {
		return
	}
	done, err := s.signUp(spec)
	answerControl(w, done, err)
}

func (s *Simulator) controlInvalidate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Subcode int `json:"subcode"`
	}
	id, ok := target(w, r, "invalidate")
	if !ok || !readControl(w, r, &body) {
		return
	}
	ended, found := s.invalidate(id, body.Subcode)
	if !found {
		answerControl(w, nil, errNoWABA)
		return
	}
	answerControl(w, map[string]int{"invalidated": ended}, nil)
}

func (s *Simulator) controlWABA(w http.ResponseWriter, r *http.Request) {
	switch target := r.PathValue("target"); {
	case strings.HasSuffix(target, ":remove"):
		s.controlRemove(w, r)
	case strings.HasSuffix(target, ":addPhone"):
		s.controlAddPhone(w, r)
	default:
		s.controlUnsubscribe(w, r)
	}
}

func (s *Simulator) controlAddPhone(w http.ResponseWriter, r *http.Request) {
	var spec Phone
	wabaID, ok := target(w, r, "addPhone")
	if !ok || !readControl(w, r, &spec) {
		return
	}
	id, err := s.addPhone(wabaID, spec)
	answerControl(w, map[string]string{"phoneNumberId": id}, err)
}

func (s *Simulator) controlUnsubscribe(w http.ResponseWriter, r *http.Request) {
	id, ok := target(w, r, "unsubscribe")
	if !ok || !readControl(w, r, &struct{}{}) {
		return
	}
	var err error
	if !s.unsubscribe(id) {
		err = errNoWABA
	}
	answerControl(w, struct{}{}, err)
}

func (s *Simulator) controlAddFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !readControl(w, r, &f) {
		return
	}
	id, err := s.faults.add(f)
	answerControl(w, map[string]string{"id": id}, err)
}

func (s *Simulator) controlListFaults(w http.ResponseWriter, _ *http.Request) {
	list, err := s.faults.encode()
	answerControl(w, json.RawMessage(list), err)
}

func (s *Simulator) controlRemoveFault(w http.ResponseWriter, r *http.Request) {
	answerControl(w, struct{}{}, s.faults.remove(r.PathValue("id")))
}

func (s *Simulator) controlReleaseFault(w http.ResponseWriter, r *http.Request) {
	id, ok := target(w, r, "release")
	if !ok || !readControl(w, r, &struct{}{}) {
		return
	}
	answerControl(w, struct{}{}, s.faults.release(id))
}

func (s *Simulator) controlClock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if !readControl(w, r, &body) {
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err == nil && d < 0 {
		err = errors.New("time does not go back")
	}
	if err != nil {
		answerControl(w, nil, fmt.Errorf("advance: %w", err))
		return
	}
	s.Advance(d)
	s.mu.Lock()
	now := s.now()
	s.mu.Unlock()
	answerControl(w, map[string]time.Time{"now": now}, nil)
}

func (s *Simulator) controlRequests(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	method, path, state := query.Get("method"), query.Get("path"), query.Get("state")
	if err := checkPattern(path); err != nil {
		answerControl(w, nil, err)
		return
	}
	found := s.journal.list(func(e Request) bool {
		return (method == "" || e.Method == method) && (state == "" || e.State == state) && matchPath(path, e.Path)
	})
	answerControl(w, found, nil)
}

func (s *Simulator) controlReset(w http.ResponseWriter, r *http.Request) {
	if !readControl(w, r, &struct{}{}) {
		return
	}
	s.Reset()
	answerControl(w, struct{}{}, nil)
}

// target cuts the verb off a custom method's last segment, {id}:verb. Any other verb is a path that does not exist.
func target(w http.ResponseWriter, r *http.Request, verb string) (string, bool) {
	id, found := strings.CutSuffix(r.PathValue("target"), ":"+verb)
	if !found || id == "" {
		http.NotFound(w, r)
		return "", false
	}
	return id, true
}

// readControl decodes a body, an empty one like {}, and answers 400 itself when that fails.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil && len(strings.TrimSpace(string(data))) > 0 {
		err = decodeStrict(data, into)
	}
	if err != nil {
		answerControl(w, nil, err)
		return false
	}
	return true
}

// answerControl writes a control answer: the value, or what was wrong with the call.
func answerControl(w http.ResponseWriter, v any, err error) {
	answer := jsonReply(http.StatusOK, v)
	switch {
	case errors.Is(err, errNoFault) || errors.Is(err, errNoWABA) || errors.Is(err, errNoPhone):
		answer = jsonReply(http.StatusNotFound, map[string]string{"error": err.Error()})
	case err != nil:
		answer = jsonReply(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = w.Write(append(answer.body, '\n')) // a client that is gone needs no answer
}
