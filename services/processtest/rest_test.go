package processtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

// onboarding is an Onboarding as REST shows it.
type onboarding struct {
	OnboardingID, OrganizationID, State, Reason, Message, NextAction string

	Steps []struct {
		Name, State, Reason string
		Attempts            int
	}
	Connection *connection
}

func (o *onboarding) final() bool { return o.State == "CONNECTED" || o.State == "FAILED" }

// waitsFor is why a claim waits.
func (o *onboarding) waitsFor() string {
	for _, s := range o.Steps {
		if s.State == "WAITING" {
			return s.Reason
		}
	}
	return ""
}

type connection struct {
	ConnectionID, WabaID, State string

	PhoneNumbers []struct{ PhoneNumberID, Registration, Reason string }
	Subscription struct{ Proven bool }
	Token        struct{ State string }
}

// answer is what REST answered: an onboarding, or an error with its reason.
type answer struct {
	status int
	onboarding
	reason string // of an error
	err    error  // none came
	body   string
}

// claim posts a code.
func (w *world) claim(ctx context.Context, to *process, organization, code string) answer {
	return w.call(ctx, to, http.MethodPost, "claim-waba", organization, map[string]string{"code": code})
}

func (w *world) call(ctx context.Context, to *process, method, path, organization string, body any) (a answer) {
	status, data, err := w.request(ctx, to, method, path, organization, body)
	a = answer{status: status, err: err, body: string(data)}
	if err != nil {
		return a
	}
	if status >= http.StatusBadRequest {
		var failure struct {
			Details []struct{ Reason string }
		}
		a.err = json.Unmarshal(data, &failure)
		for _, d := range failure.Details {
			a.reason += d.Reason
		}
		return a
	}
	a.err = json.Unmarshal(data, &a.onboarding)
	return a
}

func (w *world) request(ctx context.Context, to *process, method, path, organization string, body any) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = strings.NewReader(string(data))
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+to.http+"/api/v1/whatsapp/"+path, payload)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+w.bearer)
	req.Header.Set("X-Organization-Id", organization)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}

// find reads the one onboarding of an organization; nil while there is none, or nobody answers.
func (w *world) find(organization string) *onboarding {
	var list struct{ Onboardings []onboarding }
	status, data, err := w.request(context.Background(), w.onboarding, http.MethodGet, "onboardings", organization, nil)
	if err != nil || status != http.StatusOK || json.Unmarshal(data, &list) != nil || len(list.Onboardings) == 0 {
		return nil
	}
	if len(list.Onboardings) > 1 {
		w.t.Errorf("%s has %d onboardings", organization, len(list.Onboardings))
	}
	return &list.Onboardings[0]
}

// patience is within what every claim has ended, untouched by anyone.
const patience = 2 * time.Minute

// wantEnd waits until an organization's onboarding is final, and its numbers are registered when it is CONNECTED. want is
// the state, with the reason of a failure behind it.
func (w *world) wantEnd(name, organization, want string) *onboarding {
	w.t.Helper()
	var last *onboarding
	start := time.Now()
	for deadline := start.Add(patience); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) {
		if found := w.find(organization); found != nil {
			last = found
			if last.final() && (last.State == "FAILED" || registered(last.Connection)) {
				break
			}
		}
	}
	took := time.Since(start).Round(100 * time.Millisecond)
	switch {
	case last == nil:
		w.t.Errorf("%s: nothing is known of %s", name, organization)
		return nil
	case strings.TrimSpace(last.State+" "+last.Reason) != want:
		w.t.Errorf("%s: %s %s after %s, want %s: %+v", name, last.State, last.Reason, took, want, last.Steps)
	case last.State == "CONNECTED" && !registered(last.Connection):
		w.t.Errorf("%s: its numbers are not registered after %s: %+v", name, took, last.Connection)
	case last.State == "CONNECTED" && (!last.Connection.Subscription.Proven || last.Connection.Token.State != "ACTIVE"):
		w.t.Errorf("%s: CONNECTED without proof: %+v", name, last.Connection)
	case last.State == "FAILED" && (last.Message == "" || last.NextAction == ""):
		w.t.Errorf("%s: it does not say what happened and what to do: %+v", name, last)
	}
	w.t.Logf("%s: %s %s after %s", name, last.State, last.Reason, took)
	return last
}

func registered(c *connection) bool {
	if c == nil {
		return false
	}
	for _, n := range c.PhoneNumbers {
		if n.Registration != "REGISTERED" && n.Registration != "NOT_NEEDED" {
			return false
		}
	}
	return true
}

// wantFewWrites wants that Meta was written to no more often than a crash excuses, and never with another PIN.
func (w *world) wantFewWrites(name string, s graphsim.SignedUp) {
	w.t.Helper()
	if n := w.meta.exchanges(s.Code); n > 1 {
		w.t.Errorf("%s: the code was spent %d times", name, n)
	}
	for _, waba := range s.WABAIDs {
		if n := len(w.meta.calls(http.MethodPost, "/"+waba+"/subscribed_apps")); n > 2 {
			w.t.Errorf("%s: subscribed %d times", name, n)
		}
	}
	for _, phone := range s.PhoneNumberIDs {
		calls := w.meta.calls(http.MethodPost, "/"+phone+"/register")
		if len(calls) > 2 {
			w.t.Errorf("%s: registered %d times", name, len(calls))
		}
		for _, c := range calls {
			if c.Parameters["pin"] != calls[0].Parameters["pin"] {
				w.t.Errorf("%s: the PIN was changed", name)
			}
		}
	}
}

// organizationOf makes an organization's id of a case's name.
func organizationOf(name string) string {
	return "org-" + replace(name, ", ", ".", " ", "-")
}

func replace(text string, oldnew ...string) string {
	return strings.NewReplacer(oldnew...).Replace(text)
}
