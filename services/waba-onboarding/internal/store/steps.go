package store

import "time"

// StepState is how far a step got.
type StepState string

// The states of a step.
const (
	StepPending StepState = "PENDING"
	StepRunning StepState = "RUNNING"
	StepDone    StepState = "DONE"
	StepWaiting StepState = "WAITING"
	StepFailed  StepState = "FAILED"
	StepUnknown StepState = "UNKNOWN" // a write whose answer was lost
	StepSkipped StepState = "SKIPPED"
)

// The steps of a claim, in order.
const (
	StepExchange  = "exchange"
	StepFind      = "find"
	StepHold      = "hold"
	StepRead      = "read"
	StepSubscribe = "subscribe"
	StepProve     = "prove"
	StepBind      = "bind"
)

// Step is one step of a claim, as people see it.
type Step struct {
	Name      string     `json:"name"`
	State     StepState  `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	StartTime *time.Time `json:"startTime,omitempty"` // of the first attempt
	EndTime   *time.Time `json:"endTime,omitempty"`
	Attempts  int        `json:"attempts"`
}

// Steps are always all, in order.
type Steps []Step

func newSteps() Steps {
	steps := Steps{}
	for _, name := range []string{StepExchange, StepFind, StepHold, StepRead, StepSubscribe, StepProve, StepBind} {
		steps = append(steps, Step{Name: name, State: StepPending})
	}
	return steps
}

// Get finds a step.
func (s Steps) Get(name string) *Step {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Current is the first step that is not behind us; nil when all are.
func (s Steps) Current() *Step {
	for i := range s {
		if s[i].State != StepDone && s[i].State != StepSkipped {
			return &s[i]
		}
	}
	return nil
}

// bindBegun tells that the claim only goes forward.
func (s Steps) bindBegun() bool { return s.Get(StepBind).State != StepPending }

// begin is one more attempt. What the attempt before waited for stays to be seen until there is news.
func (s *Step) begin(now time.Time) {
	if s == nil {
		return
	}
	if s.StartTime == nil {
		s.StartTime = &now
	}
	s.State, s.Attempts, s.EndTime = StepRunning, s.Attempts+1, nil
}

func (s *Step) end(state StepState, reason string, now time.Time) {
	if s == nil {
		return
	}
	s.State, s.Reason, s.EndTime = state, reason, &now
	if s.StartTime == nil {
		s.StartTime = &now
	}
}

// restart makes the steps after the exchange pending again.
func (s Steps) restart() {
	for i := range s {
		if s[i].Name != StepExchange {
			s[i] = Step{Name: s[i].Name, State: StepPending}
		}
	}
}
