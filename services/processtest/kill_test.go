package processtest

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
)

// moment is a call to Meta at which a claim is held while a process dies.
type moment struct {
	name string
	call graphsim.Fault // {waba} and {phone} stand for the customer's
	skip int            // so many calls before it look the same
	// alone: the call can not be told from another claim's, so that no other may run until it is held.
	alone bool
	// shortLived: the customer's token is one that must be extended.
	shortLived bool
	// spends: whoever dies here leaves nobody who knows whether the code is spent.
	spends bool
}

// moments are all calls of a claim, in order.
func moments() []moment {
	const exchange = "/oauth/access_token"
	get := func(path string) graphsim.Fault { return graphsim.Fault{Method: http.MethodGet, Path: path} }
	post := func(path string) graphsim.Fault { return graphsim.Fault{Method: http.MethodPost, Path: path} }
	extend := post(exchange)
	extend.Params = map[string]string{"grant_type": "fb_exchange_token"}
	return []moment{
		{name: "inspect", call: get("/debug_token"), alone: true},
		{name: "extend", call: extend, alone: true, shortLived: true},
		{name: "inspect what was extended", call: get("/debug_token"), skip: 1, alone: true, shortLived: true},
		{name: "exchange", call: post(exchange), spends: true},
		{name: "find", call: get("/{waba}/phone_numbers")},
		{name: "read the account", call: get("/{waba}")},
		{name: "read the numbers", call: get("/{waba}/phone_numbers"), skip: 1},
		{name: "subscribe", call: post("/{waba}/subscribed_apps")},
		{name: "prove", call: get("/{waba}/subscribed_apps")},
		{name: "register", call: post("/{phone}/register")},
	}
}

// heldClaim is a claim that is held at a moment.
type heldClaim struct {
	moment

	organization, fault string
	customer            graphsim.SignedUp
}

func TestAClaimSurvivesTheDeathOfTheBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.killAtEachCall(w.broker)
}

func TestAClaimSurvivesTheDeathOfOnboarding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.killAtEachCall(w.onboarding)
}

func TestAClaimSurvivesTheDeathOfBothOnSQLite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{sqlite: true})
	w.killAtEachCall(w.broker, w.onboarding)
}

// killAtEachCall holds a claim at each of its calls, before Meta does the work and after, then kills the processes, all
// claims at once, and starts them again. Whatever died, each claim must end by itself.
func (w *world) killAtEachCall(victims ...*process) {
	w.t.Helper()
	var claims []*heldClaim
	var posts sync.WaitGroup
	defer posts.Wait()
	ctx, hangUp := context.WithCancel(w.t.Context())
	defer hangUp()
	for _, m := range moments() {
		for _, when := range []string{graphsim.Before, graphsim.After} {
			c := w.holdAt(m, when)
			claims = append(claims, c)
			posts.Go(func() { w.claim(ctx, w.onboarding, c.organization, c.customer.Code) })
			if m.alone {
				w.meta.held(w.t, c.name, c.fault)
			}
		}
	}
	for _, c := range claims {
		w.meta.held(w.t, c.name, c.fault)
	}

	brokerDies := false
	for _, p := range victims {
		p.kill()
		brokerDies = brokerDies || p == w.broker
	}
	for _, c := range claims {
		w.meta.Release(c.fault)
	}
	for _, p := range victims {
		p.start()
	}

	var ends sync.WaitGroup
	for _, c := range claims {
		want := "CONNECTED"
		if c.spends && brokerDies {
			want = "FAILED CODE_OUTCOME_UNKNOWN"
		}
		ends.Go(func() { w.wantEnd(c.name, c.organization, want) })
	}
	ends.Wait()
	for _, c := range claims {
		w.wantFewWrites(c.name, c.customer)
	}
	w.wantFewExtensions()
}

// holdAt signs a customer up whose claim will be held.
func (w *world) holdAt(m moment, when string) *heldClaim {
	w.t.Helper()
	spec := graphsim.SignUp{}
	if m.shortLived {
		spec.Token = graphsim.TokenSpec{Kind: graphsim.KindUser, ExpiresIn: 3600}
	}
	c := &heldClaim{moment: m, customer: w.meta.SignUp(spec)}
	c.name += ", " + when
	c.organization = organizationOf(c.name)
	call := c.call
	call.Path = replace(call.Path, "{waba}", c.customer.WABAIDs[0], "{phone}", c.customer.PhoneNumberIDs[0])
	if m.spends {
		call.Params = map[string]string{"code": c.customer.Code}
	}
	if m.skip > 0 {
		passing := call
		passing.Times, passing.DelayMs = m.skip, 1
		w.meta.AddFault(passing)
	}
	call.Hold = graphsim.Hold(when)
	c.fault = w.meta.AddFault(call)
	return c
}

// wantFewExtensions wants that each token was extended no more often than a crash excuses.
func (w *world) wantFewExtensions() {
	w.t.Helper()
	times := map[string]int{}
	for _, r := range w.meta.calls(http.MethodPost, "/oauth/access_token", "grant_type", "fb_exchange_token") {
		times[r.Parameters["fb_exchange_token"]]++
	}
	for token, n := range times {
		if n > 2 {
			w.t.Errorf("the token %s was extended %d times", token, n)
		}
	}
}
