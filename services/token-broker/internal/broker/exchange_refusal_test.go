package broker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestWhatMetaRefusesIsRefusedForGood(t *testing.T) {
	t.Parallel()
	graphError := func(code, subcode int, message string) graphsim.Fault {
		return graphsim.Fault{Error: &graphsim.FaultError{Code: code, Subcode: subcode, Message: message}}
	}
	body := func(json string) graphsim.Fault { return graphsim.Fault{Body: text("%s", json)} }
	status := func(f graphsim.Fault, status int) graphsim.Fault {
		f.Status = status
		return f
	}
	cases := map[string]struct {
		fault graphsim.Fault
		want  errorsv1.ErrorReason
	}{
		"A1 expired":             {graphError(100, 36007, ""), errorsv1.ErrorReason_CODE_EXPIRED},
		"A2 used":                {graphError(100, 36009, ""), errorsv1.ErrorReason_CODE_ALREADY_USED},
		"A2 used, by its text":   {graphError(100, 0, "This authorization code has been used."), errorsv1.ErrorReason_CODE_ALREADY_USED},
		"A3 redirect":            {graphError(100, 36008, ""), errorsv1.ErrorReason_REDIRECT_URI_MISMATCH},
		"garbage":                {graphError(100, 0, "Invalid verification code format."), errorsv1.ErrorReason_CODE_INVALID},
		"A4 secret":              {graphError(1, 0, "Error validating client secret."), errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED},
		"A4 app":                 {graphError(101, 0, "Error validating application."), errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED},
		"throttled":              {graphError(4, 0, ""), errorsv1.ErrorReason_META_RATE_LIMITED},
		"not allowed":            {graphError(191, 0, "Given URL is not allowed by the Application configuration"), errorsv1.ErrorReason_META_REJECTED},
		"code 1":                 {graphError(1, 0, ""), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"code 2":                 {graphError(2, 0, ""), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"5xx":                    {status(graphError(100, 36007, ""), 500), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 HTML":                {graphsim.Fault{HTML: "<h1>502</h1>"}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 empty 200":           {graphsim.Fault{Status: 200}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 200 with error":      {status(graphError(190, 0, "no"), 200), errorsv1.ErrorReason_META_REJECTED},
		"A5 no token":            {body(`{"token_type":"bearer"}`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 token is a number":   {body(`{"access_token":17}`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 token is null":       {body(`{"access_token":null}`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 token is empty":      {body(`{"access_token":""}`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 token with newlines": {body(`{"access_token":"EAA\r\nX: y"}`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 list":                {body(`[]`), errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"A5 truncated":           {graphsim.Fault{Truncate: -1}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"redirect":               {graphsim.Fault{Redirect: "https://example.com/"}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
	}
	b := onPostgres(t)
	for name, c := range cases {
		before := b.count(isExchange)
		c.fault.Path = exchangePath
		if c.fault.Error != nil {
			c.fault.Error.Data = map[string]string{"details": "told"}
		}
		b.meta.AddFault(c.fault)
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		_, first := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		f := wantFault(t, first, c.want)
		_, again := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		_, asked := b.ofOnboarding(t, "org-1")
		for _, err := range []error{again, asked} {
			if same := wantFault(t, err, c.want); !cmp.Equal(same.Metadata(), f.Metadata()) || same.Delay() != f.Delay() {
				t.Errorf("%s: asked again, it is %v, want what it was: %v", name, same.Metadata(), f.Metadata())
			}
		}
		if got := b.count(isExchange) - before; got != 1 {
			t.Errorf("%s: the code was sent %d times, want once", name, got)
		}
		if c.fault.Error != nil && c.want != errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN && (f.Metadata()["fbtraceId"] == "" || f.Metadata()["metaDetails"] != "told") {
			t.Errorf("%s: Meta's trace id or details are not kept: %v", name, f.Metadata())
		}
	}
	if got := number(t, b.db, "select count(*) from tokens"); got != 0 {
		t.Errorf("%d tokens are stored, want none", got)
	}
}

func TestWhenMetaIsThrottlingTheAnswerSaysForHowLong(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	for _, graphCode := range []int{4, 17, 32, 613} {
		b.meta.AddFault(graphsim.Fault{
			Path: exchangePath, Error: &graphsim.FaultError{Code: graphCode}, Headers: map[string]string{"Retry-After": "90"},
		})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		for range 2 {
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			if f := wantFault(t, err, errorsv1.ErrorReason_META_RATE_LIMITED); f.Delay() != 90*time.Second {
				t.Errorf("%d: the fault says to come again in %s, want 90 s", graphCode, f.Delay())
			}
		}
	}
}

func TestTheRedirectURIIsSentOnlyWhereTheCallerSaysSo(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	const uri = "https://connect.example/onboarding/callback?a=1&b=%C3%A9"
	req := exchangeOf("org-1", b.meta.SignUp(graphsim.SignUp{RedirectURI: uri}).Code)
	req.RedirectUri = uri
	if _, err := b.ExchangeCode(t.Context(), req); err != nil {
		t.Errorf("a dialog's code with its redirect URI: %v", err)
	}
	req = exchangeOf("org-1", b.meta.SignUp(graphsim.SignUp{}).Code)
	req.RedirectUri = uri
	_, err := b.ExchangeCode(t.Context(), req)
	wantFault(t, err, errorsv1.ErrorReason_REDIRECT_URI_MISMATCH)
	if got := b.count(isExchange); got != 2 {
		t.Errorf("Meta was asked %d times, want twice: no second variant", got)
	}
}

func TestACodeOfAnotherOrganizationCountsAsUsedAndTellsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		spent := b.meta.SignUp(graphsim.SignUp{}).Code
		b.exchange(t, spent)
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.Before})
		spending := b.meta.SignUp(graphsim.SignUp{}).Code
		heard := make(chan error, 1)
		go func() {
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", spending))
			heard <- err
		}()
		b.held(t, exchangePath, 1)
		for _, code := range []string{spent, spending} {
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-2", code))
			if f := wantFault(t, err, errorsv1.ErrorReason_CODE_ALREADY_USED); len(f.Metadata()) != 0 {
				t.Errorf("the refusal tells %v", f.Metadata())
			}
		}
		_, err := b.ofOnboarding(t, "org-2")
		wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
		b.meta.Release(hold)
		if err := <-heard; err != nil {
			t.Errorf("the code's own organization: %v", err)
		}
		if got := b.count(isExchange); got != 2 {
			t.Errorf("Meta was asked %d times, want once for each code", got)
		}
	})
}
