package graphsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaultIsMetOnceUnlessItSaysOtherwise(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	path := "/v25.0/" + done.WABAIDs[0] + "/subscribed_apps"
	b.sim.AddFault(Fault{Method: "POST", Path: "/*/subscribed_apps", Error: &FaultError{Code: 80008}, Headers: map[string]string{"X-Usage": "1"}})

	a := b.send(t, http.MethodPost, path, token, "")
	wantError(t, a, 400, 80008, 0)
	if a.header.Get("X-Usage") != "1" {
		t.Errorf("headers are %v", a.header)
	}
	wantStatus(t, b.send(t, http.MethodPost, path, token, ""), http.StatusOK)

	b.sim.AddFault(Fault{Path: "/v21.0/" + done.WABAIDs[0] + "/subscribed_apps", Times: -1, Error: &FaultError{Code: 2, IsTransient: true}})
	for range 3 {
		wantError(t, b.get(t, path, token), 503, 2, 0)
	}
}

func TestFaultOfParametersTellsAnExtensionFromAnExchange(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	b.sim.AddFault(Fault{
		Path: "/oauth/access_token", Times: -1, Params: map[string]string{"grant_type": "fb_exchange_token"},
		Error: &FaultError{Code: 190, Subcode: 460},
	})
	token, _ := b.token(t, SignUp{}) // the exchange is untouched
	wantError(t, b.oauth(t, url.Values{"grant_type": {"fb_exchange_token"}, "fb_exchange_token": {token}}), 401, 190, 460)
}

func TestFaultsFakeBodies(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	script := func(f Fault) answer {
		f.Path = "/oauth/access_token"
		b.sim.AddFault(f)
		return b.oauth(t, url.Values{"code": {"x"}})
	}

	if a := script(Fault{Body: json.RawMessage(`{"access_token":5}`)}); a.status != http.StatusOK || a.text != `{"access_token":5}` {
		t.Errorf("body: %d %s", a.status, a.text)
	}
	if a := script(Fault{Body: json.RawMessage(`"not json"`)}); a.text != "not json" {
		t.Errorf("text: %s", a.text)
	}
	if a := script(Fault{Status: 200}); a.status != http.StatusOK || a.text != "" {
		t.Errorf("empty: %d %q", a.status, a.text)
	}
	if a := script(Fault{HTML: htmlPage}); a.status != http.StatusBadGateway || !strings.Contains(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("html: %d %v", a.status, a.header)
	}
	if a := script(Fault{Redirect: "https://a.example/"}); a.status != http.StatusFound || a.header.Get("Location") != "https://a.example/" {
		t.Errorf("redirect: %d %v", a.status, a.header)
	}
	wantError(t, script(Fault{Status: 429, Error: &FaultError{Code: 4}}), 429, 4, 0)
}

func TestDropAfterResetsTheConnectionWithTheWorkDone(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	b.sim.AddFault(Fault{Path: "/oauth/access_token", Drop: After})

	_, err := b.do(b.oauthRequest(t, url.Values{"code": {code}}))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error is %v, want a connection reset", err)
	}
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36009)
	if got := b.sim.Journal()[0].State; got != StateDropped {
		t.Errorf("state in the journal is %s", got)
	}
}

func TestDropBeforeResetsTheConnectionWithoutTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	b.sim.AddFault(Fault{Path: "/oauth/access_token", Drop: Before})

	_, err := b.do(b.oauthRequest(t, url.Values{"code": {code}}))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error is %v, want a connection reset", err)
	}
	wantStatus(t, b.oauth(t, url.Values{"code": {code}}), http.StatusOK)
}

func TestHeldRequestWaitsUntilItIsReleased(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	fault := b.sim.AddFault(Fault{Path: "/oauth/access_token", Hold: After})

	first := make(chan answer, 1)
	req := b.oauthRequest(t, url.Values{"code": {code}})
	go func() {
		a, _ := b.do(req)
		first <- a
	}()
	if got := b.waitFor(t, StateHeld).Fault; got != fault {
		t.Errorf("held by %q, want %q", got, fault)
	}
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36009) // the work of the held one is done
	select {
	case a := <-first:
		t.Fatalf("the held request was answered: %s", a.text)
	case <-time.After(50 * time.Millisecond):
	}
	b.sim.Release(fault)
	wantStatus(t, <-first, http.StatusOK)
}

func TestRequestHeldBeforeWhoseClientLeavesIsNeverWorkedOn(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	b.sim.AddFault(Fault{Path: "/oauth/access_token", Hold: Before})
	req := b.oauthRequest(t, url.Values{"code": {code}})
	leave := b.doUntilWeLeave(t, req)
	b.waitFor(t, StateHeld)
	leave()
	b.waitFor(t, StateAbandoned)
	wantStatus(t, b.oauth(t, url.Values{"code": {code}}), http.StatusOK)
}

// doUntilWeLeave sends a request that must not be answered before its client leaves.
func (b *bundle) doUntilWeLeave(t *testing.T, req *http.Request) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(req.Context())
	heard := make(chan error, 1)
	go func() {
		_, err := b.do(req.WithContext(ctx))
		heard <- err
	}()
	return func() {
		t.Helper()
		cancel()
		if err := <-heard; !errors.Is(err, context.Canceled) {
			t.Fatalf("the request was answered: %v", err)
		}
	}
}

func TestDelayComesAfterTheWork(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	b.sim.AddFault(Fault{Path: "/oauth/access_token", DelayMs: 60_000})
	leave := b.doUntilWeLeave(t, b.oauthRequest(t, url.Values{"code": {code}}))
	b.waitFor(t, StateRunning)
	leave()
	b.waitFor(t, StateAbandoned)
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36009)
}

func TestTruncatedBodyEndsUnexpectedly(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, _ := b.token(t, SignUp{})
	b.sim.AddFault(Fault{Path: "/me", Truncate: -1})
	if _, err := b.do(b.request(t, http.MethodGet, "/v25.0/me", token, "")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want an unexpected end", err)
	}
	b.sim.AddFault(Fault{Path: "/me", TrickleMs: 1})
	wantStatus(t, b.get(t, "/v25.0/me", token), http.StatusOK)
}

func TestLatencyDelaysEveryAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Latency: 30 * time.Millisecond})
	start := time.Now()
	b.oauth(t, nil)
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	faults := map[string]Fault{
		"does nothing":      {Path: "/me"},
		"two answers":       {HTML: "x", Redirect: "y"},
		"drops its answer":  {Drop: Before, Status: 500},
		"after no work":     {Hold: After, Status: 500},
		"no such moment":    {Drop: "during"},
		"query in the path": {Path: "/me?fields=id", Status: 500},
		"malformed pattern": {Path: "/[", Status: 500},
		"no such status":    {Status: 99},
		"negative times":    {Times: -2, Status: 500},
		"error of no code":  {Error: &FaultError{Message: "x"}},
		"id of its own":     {ID: "x", Status: 500},
	}
	for name, f := range faults {
		if err := f.validate(); err == nil {
			t.Errorf("a fault that %s was taken: %+v", name, f)
		}
	}
}
