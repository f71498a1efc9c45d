package server_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/fault"
)

// as are the two services, called by somebody.
func (b *bundle) as(token string) client {
	conn := b.conn(b.replica, token)
	return client{onboardingv1.NewOnboardingServiceClient(conn), onboardingv1.NewConnectionServiceClient(conn)}
}

type client struct {
	onboardingv1.OnboardingServiceClient
	onboardingv1.ConnectionServiceClient
}

// post posts a code, waits for nothing, and answers the id of the new onboarding.
func (b *bundle) post(c client, req *onboardingv1.ClaimWabaRequest) (id string) {
	b.t.Helper()
	known := map[string]bool{}
	for _, o := range b.list(c) {
		known[o.GetOnboardingId()] = true
	}
	go func() { _, _ = c.ClaimWaba(b.t.Context(), req) }()
	eventually(b.t, "the code is on record", func() bool {
		for _, o := range b.list(c) {
			if !known[o.GetOnboardingId()] {
				id = o.GetOnboardingId()
			}
		}
		return id != ""
	})
	return id
}

func (b *bundle) list(c client) []*onboardingv1.Onboarding {
	b.t.Helper()
	list, err := c.ListOnboardings(b.t.Context(), &onboardingv1.ListOnboardingsRequest{})
	if err != nil {
		b.t.Fatalf("list onboardings: %v", err)
	}
	return list.GetOnboardings()
}

// claim posts a code and wants the claim to come to an end, or to a choice.
func (b *bundle) claim(c client, req *onboardingv1.ClaimWabaRequest) *onboardingv1.Onboarding {
	b.t.Helper()
	resp, err := c.ClaimWaba(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("claim: %v", err)
	}
	return b.settled(c, resp.GetOnboarding())
}

// settled waits longer than a caller would: this machine may be busy.
func (b *bundle) settled(c client, o *onboardingv1.Onboarding) *onboardingv1.Onboarding {
	b.t.Helper()
	underWay := []onboardingv1.Onboarding_State{onboardingv1.Onboarding_EXCHANGING, onboardingv1.Onboarding_CLAIMING}
	if !slices.Contains(underWay, o.GetState()) {
		return o
	}
	return b.await(c, o.GetOnboardingId(), "the claim ends", func(o *onboardingv1.Onboarding) bool {
		return !slices.Contains(underWay, o.GetState())
	})
}

// connect claims what a new customer shares, and wants it connected.
func (b *bundle) connect(c client, spec graphsim.SignUp) (*onboardingv1.Connection, graphsim.SignedUp) {
	b.t.Helper()
	shared := b.meta.SignUp(spec)
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(b.t, o, onboardingv1.Onboarding_CONNECTED)
	return o.GetConnection(), shared
}

// get reads an onboarding.
func (b *bundle) get(c client, id string) *onboardingv1.Onboarding {
	b.t.Helper()
	resp, err := c.GetOnboarding(b.t.Context(), &onboardingv1.GetOnboardingRequest{OnboardingId: id})
	if err != nil {
		b.t.Fatalf("get onboarding: %v", err)
	}
	return resp.GetOnboarding()
}

// connection reads a connection.
func (b *bundle) connection(c client, id string) *onboardingv1.Connection {
	b.t.Helper()
	resp, err := c.GetConnection(b.t.Context(), &onboardingv1.GetConnectionRequest{ConnectionId: id})
	if err != nil {
		b.t.Fatalf("get connection: %v", err)
	}
	return resp.GetConnection()
}

// await reads an onboarding until it is as wanted.
func (b *bundle) await(c client, id string, what string, wanted func(*onboardingv1.Onboarding) bool) *onboardingv1.Onboarding {
	b.t.Helper()
	var o *onboardingv1.Onboarding
	eventually(b.t, what, func() bool { o = b.get(c, id); return wanted(o) })
	return o
}

// awaitState reads an onboarding until it is in a state.
func (b *bundle) awaitState(c client, id string, state onboardingv1.Onboarding_State) *onboardingv1.Onboarding {
	b.t.Helper()
	return b.await(c, id, state.String(), func(o *onboardingv1.Onboarding) bool { return o.GetState() == state })
}

// awaitNumber reads a connection until its only number is in a registration.
func (b *bundle) awaitNumber(c client, id string, want onboardingv1.PhoneNumber_Registration) *onboardingv1.Connection {
	b.t.Helper()
	var found *onboardingv1.Connection
	eventually(b.t, want.String(), func() bool {
		found = b.connection(c, id)
		return len(found.GetPhoneNumbers()) == 1 && found.GetPhoneNumbers()[0].GetRegistration() == want
	})
	return found
}

// pass lets time pass for both services, and has what is due looked over.
func (b *bundle) pass(d time.Duration) {
	b.t.Helper()
	b.clock.advance(d)
	b.sweep()
}

func (b *bundle) sweep() {
	b.t.Helper()
	if err := b.rows.Sweep(context.WithoutCancel(b.t.Context())); err != nil {
		b.t.Errorf("sweep: %v", err)
	}
}

// forget ends a fault of the simulated Meta.
func (b *bundle) forget(fault string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodDelete, b.url+"/_sim/faults/"+fault, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode > 299 {
		b.t.Fatalf("forget %s: %s", fault, resp.Status)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(45 * time.Second); !ok(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func step(o *onboardingv1.Onboarding, name string) *onboardingv1.Step {
	for _, s := range o.GetSteps() {
		if s.GetName() == name {
			return s
		}
	}
	return nil
}

func wantState(t *testing.T, o *onboardingv1.Onboarding, want onboardingv1.Onboarding_State) {
	t.Helper()
	if o.GetState() != want {
		t.Fatalf("the onboarding is %s (%s), want %s; steps: %v", o.GetState(), o.GetReason(), want, o.GetSteps())
	}
}

func wantFault(t *testing.T, err error, want errorsv1.ErrorReason) *fault.Error {
	t.Helper()
	why, ok := fault.As(err)
	if !ok || why.Reason() != want {
		t.Fatalf("answered %v, want %s", err, want)
	}
	return why
}

func reasonsOf(c *onboardingv1.Connection) []string {
	reasons := []string{}
	for _, r := range c.GetReasons() {
		if r.GetReason() != "NO_EVENT_YET" { // a note, with which every connection begins
			reasons = append(reasons, r.GetReason())
		}
	}
	return reasons
}
