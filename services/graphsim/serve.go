package graphsim

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// visit is one Graph request on its way: journal entry, fault, work, answer.
type visit struct {
	sim    *Simulator
	w      http.ResponseWriter
	r      *http.Request
	entry  *Request
	start  time.Time
	params params
	fault  *scripted // nil: nothing is scripted for it
}

// serveGraph takes a request through the fault that is scripted for it, if any.
func (s *Simulator) serveGraph(w http.ResponseWriter, r *http.Request) {
	v := &visit{sim: s, w: w, r: r, start: time.Now()}
	p, failure := readParams(w, r)
	v.params = p
	v.entry = s.journal.begin(Request{
		Time: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Parameters: s.redacted(p), Authorization: shownAuthorization(r),
	})
	_, path := splitVersion(r.URL.Path)
	v.fault = s.faults.take(r.Method, path, p)
	if v.fault == nil {
		v.fault = &scripted{}
	}
	if v.fault.ID != "" {
		v.note(func(e *Request) { e.Fault = v.fault.ID })
		v.liftDeadlines()
	}
	if !v.passes(Before) {
		return
	}
	answer := v.answer(failure)
	if !v.passes(After) {
		return
	}
	if !v.sleep(s.cfg.Latency + time.Duration(v.fault.DelayMs)*time.Millisecond) {
		v.finish(StateAbandoned, 0)
		return
	}
	v.send(answer)
}

// answer does the work, unless the fault or unreadable parameters stand in its place.
func (v *visit) answer(failure *Error) reply {
	switch {
	case v.fault.replaces():
		return v.fault.answer()
	case failure != nil:
		return failure.reply()
	default:
		return v.sim.work(requestOf(v.r), v.params)
	}
}

// passes holds and drops the request where the fault says so, and tells whether it goes on.
func (v *visit) passes(moment string) bool {
	if string(v.fault.Hold) == moment && !v.held() {
		v.finish(StateAbandoned, 0)
		return false
	}
	if v.fault.Drop == moment {
		v.finish(StateDropped, 0)
		resetConnection(v.w)
		return false
	}
	return true
}

// held waits until the fault is released, and is false when the client went away first.
func (v *visit) held() bool {
	v.note(func(e *Request) { e.State = StateHeld })
	select {
	case <-v.fault.gate:
		v.note(func(e *Request) { e.State = StateRunning })
		return true
	case <-v.r.Context().Done():
		return false
	}
}

// send writes the answer. The Date is the simulated one, so that clients who take Meta's clock from it stay in step
// with the life of their tokens. A truncated body announces its full length; net/http then closes the connection,
// and the client sees an unexpected end.
func (v *visit) send(answer reply) {
	header := v.w.Header()
	for name, values := range answer.header {
		header[name] = values
	}
	if version, _ := splitVersion(v.r.URL.Path); version != "" {
		header.Set("Facebook-Api-Version", version)
	}
	header.Set("Date", v.sim.date())
	header.Set("Content-Length", strconv.Itoa(len(answer.body)))
	for name, value := range v.fault.Headers {
		header.Set(name, value)
	}
	// Before the first byte, so that whoever has the answer finds it in the journal.
	v.finish(StateDone, answer.status)
	v.w.WriteHeader(answer.status)
	v.write(v.fault.cut(answer.body))
}

func (v *visit) write(body []byte) {
	pause := time.Duration(v.fault.TrickleMs) * time.Millisecond
	if pause == 0 {
		_, _ = v.w.Write(body) // a client that is gone needs no answer
		return
	}
	for i := range body {
		if !v.sleep(pause) {
			return
		}
		if _, err := v.w.Write(body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(v.w).Flush() // without it the client would see all at the end, which it then notices
	}
}

// cut is what is sent of a body.
func (f *scripted) cut(body []byte) []byte {
	switch keep := int(f.Truncate); {
	case keep < 0:
		return body[:len(body)/2]
	case keep > 0 && keep < len(body):
		return body[:keep]
	default:
		return body
	}
}

// sleep waits, and is false when the client went away first.
func (v *visit) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), d)
	defer cancel()
	<-ctx.Done()
	return v.r.Context().Err() == nil
}

// liftDeadlines lets a request take as long as its fault wants. The body has been read, so a slow client can not abuse
// it; and a read deadline that passes while a request is held would look like the client's leaving.
func (v *visit) liftDeadlines() {
	c := http.NewResponseController(v.w)
	// Writers that have no deadlines (httptest.ResponseRecorder) need none lifted.
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Time{})
}

func (v *visit) finish(state string, status int) {
	v.note(func(e *Request) {
		e.State, e.Status = state, status
		e.DurationMs = float64(time.Since(v.start).Microseconds()) / 1000
	})
}

func (v *visit) note(change func(*Request)) { v.sim.journal.update(v.entry, change) }

// date is the simulated time as a Date header.
func (s *Simulator) date() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().UTC().Format(http.TimeFormat)
}
