package broker_test

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/token-broker/server"
)

func TestOneCodeIsExchangedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		answers := make([]*tokenbrokerv1.Token, 50)
		atOnce(len(answers), func(i int) {
			resp, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			if err != nil {
				t.Error(err)
			}
			answers[i] = resp.GetToken()
		})
		for _, answer := range answers[1:] {
			if diff := cmp.Diff(answers[0], answer, protocmp.Transform()); diff != "" {
				t.Errorf("two callers got different answers: %s", diff)
			}
		}
		if got := b.count(isExchange); got != 1 {
			t.Errorf("the code was spent %d times, want once", got)
		}
		if got := answers[0]; got.GetState() != tokenbrokerv1.Token_ACTIVE || got.GetKind() != graphsim.KindSystemUser || len(got.GetTargetIds()) != 1 {
			t.Errorf("the token is %v, want one that is ACTIVE with kind and target", got)
		}
	})
}

func TestTwoBrokersExchangeACodeOnce(t *testing.T) {
	t.Parallel()
	b, other := pair(t)
	for range 5 {
		before := b.count(isExchange)
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		ids := make([]string, 50)
		atOnce(len(ids), func(i int) {
			client := []*brokertest.Broker{b.Broker, other}[i%2]
			resp, err := client.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			if err != nil {
				t.Error(err)
			}
			ids[i] = resp.GetToken().GetTokenId()
		})
		if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
			t.Errorf("the callers got different tokens: %v", ids)
		}
		if got := b.count(isExchange) - before; got != 1 {
			t.Errorf("the code was spent %d times, want once", got)
		}
	}
}

func TestACallerThatHangsUpLeavesTheExchangeRunning(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.Before})
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	ctx, hangUp := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		_, err := b.ExchangeCode(ctx, exchangeOf("org-1", code))
		heard <- err
	}()
	b.held(t, exchangePath, 1)
	_, err := b.ofOnboarding(t, "org-1")
	if f := wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS); f.Delay() == 0 {
		t.Error("EXCHANGE_IN_PROGRESS does not say when to come again")
	}
	hangUp()
	wantFault(t, <-heard, errorsv1.ErrorReason_CANCELLED)

	impatient, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
	defer cancel()
	_, err = b.ExchangeCode(impatient, exchangeOf("org-1", code))
	wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS)

	b.meta.Release(hold)
	if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
		t.Errorf("the token is %s, want ACTIVE", got.GetState())
	}
	if got := b.count(isExchange); got != 1 {
		t.Errorf("the code was spent %d times, want once", got)
	}
}

func TestACallerThatIsGoneAtOnceStillGetsItsCodeSpent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for i := range 5 { // wherever the call is when its caller leaves
			code := b.meta.SignUp(graphsim.SignUp{}).Code
			ctx, cancel := context.WithTimeout(t.Context(), 110*time.Millisecond)
			time.AfterFunc(time.Duration(i)*2*time.Millisecond, cancel)
			_, _ = b.ExchangeCode(ctx, exchangeOf("org-1", code))
			if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
				t.Errorf("the token is %s, want ACTIVE", got.GetState())
			}
			cancel()
		}
	})
}

func TestAResetAfterTheWorkIsAnUnknownOutcomeAndIsNeverRepeated(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: exchangePath, Drop: graphsim.After})
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	for range 3 {
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
	}
	if got := b.count(isExchange); got != 1 {
		t.Errorf("the code was sent %d times, want once", got)
	}
}

func TestAConnectionThatWasRefusedIsTriedAgain(t *testing.T) {
	t.Parallel()
	meta, _ := brokertest.ServeMeta(t, graphsim.Config{})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	time.AfterFunc(700*time.Millisecond, func() {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		served := &http.Server{Handler: meta}
		t.Cleanup(func() { _ = served.Close() })
		go func() { _ = served.Serve(listener) }()
	})
	broker := brokertest.Start(t, databasetest.Open(t, sqliteURL(t)), "http://"+address, brokertest.Options{})
	resp, err := broker.ExchangeCode(t.Context(), exchangeOf("org-1", meta.SignUp(graphsim.SignUp{}).Code))
	if err != nil || resp.GetToken().GetState() != tokenbrokerv1.Token_ACTIVE {
		t.Errorf("ExchangeCode = %v, %v, want an ACTIVE token", resp, err)
	}
	if got := meta.Count(http.MethodPost, exchangePath); got != 1 {
		t.Errorf("the code was sent %d times, want once", got)
	}
}

// The one test that waits for the budget of an exchange, for all the ways in which Meta can use it up.
func TestTheBudgetOfAnExchangeEndsIt(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, sqliteURL(t))
	b := setup(t, db, server.Settings{})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	unreachable := brokertest.Start(t, databasetest.Open(t, sqliteURL(t)), "http://"+closed.Addr().String(), brokertest.Options{})
	b.meta.AddFault(graphsim.Fault{Path: exchangePath, DelayMs: 40_000})
	b.meta.AddFault(graphsim.Fault{Path: exchangePath, TrickleMs: 1000})
	cases := []struct {
		broker       *brokertest.Broker
		organization string
		want         errorsv1.ErrorReason
		again        errorsv1.ErrorReason
	}{
		{unreachable, "refused", errorsv1.ErrorReason_META_UNAVAILABLE, errorsv1.ErrorReason_TOKEN_NOT_FOUND},
		{b.Broker, "slow", errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		{b.Broker, "trickling", errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
	}
	codes := [...]string{b.meta.SignUp(graphsim.SignUp{}).Code, b.meta.SignUp(graphsim.SignUp{}).Code, b.meta.SignUp(graphsim.SignUp{}).Code}
	atOnce(len(cases), func(i int) {
		c, start := cases[i], time.Now()
		_, err := c.broker.ExchangeCode(t.Context(), exchangeOf(c.organization, codes[i]))
		if f, _ := fault.As(err); f == nil || f.Reason() != c.want {
			t.Errorf("%s: the error is %v, want %s", c.organization, err, c.want)
		}
		if took := time.Since(start); took < 19*time.Second || took > 22*time.Second {
			t.Errorf("%s: it took %s, want about 20 s", c.organization, took)
		}
		other := &bundle{Broker: c.broker}
		_, err = other.ofOnboarding(t, c.organization)
		if f, _ := fault.As(err); f == nil || f.Reason() != c.again {
			t.Errorf("%s: asked again, the error is %v, want %s", c.organization, err, c.again)
		}
	})
	if got := number(t, db, "select count(*) from tokens"); got != 0 {
		t.Errorf("%d tokens are stored, want none", got)
	}
}

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
		if c.fault.Error != nil && c.want != errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN && f.Metadata()["fbtraceId"] == "" {
			t.Errorf("%s: Meta's trace id is not kept: %v", name, f.Metadata())
		}
	}
	if got := number(t, b.db, "select count(*) from tokens"); got != 0 {
		t.Errorf("%d tokens are stored, want none", got)
	}
}

func TestWhenMetaIsThrottlingTheAnswerSaysForHowLong(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{
		Path: exchangePath, Error: &graphsim.FaultError{Code: 4}, Headers: map[string]string{"Retry-After": "90"},
	})
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	for range 2 {
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		if f := wantFault(t, err, errorsv1.ErrorReason_META_RATE_LIMITED); f.Delay() != 90*time.Second {
			t.Errorf("the fault says to come again in %s, want 90 s", f.Delay())
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

func TestAnExchangePastItsLeaseIsUnknownAndALateTokenIsNotStored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.After})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		heard := make(chan error, 1)
		go func() {
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			heard <- err
		}()
		b.held(t, exchangePath, 1)
		b.clock.advance(39 * time.Second)
		_, err := b.ofOnboarding(t, "org-1")
		wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS)
		b.clock.advance(2 * time.Second)
		_, err = b.ofOnboarding(t, "org-1")
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		wantFault(t, <-heard, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		b.meta.Release(hold)
		eventually(t, "the loss is logged", func() bool { return strings.Contains(b.logs.String(), "could not be stored and is lost") })
		_, err = b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		if got := number(t, b.db, "select count(*) from tokens"); got != 0 {
			t.Errorf("%d tokens are stored, want none", got)
		}
	})
}

func TestATokenIsStoredEvenIfTheFirstCommitsFail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		failInserts(t, b.db, "tokens")
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		hangUp, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
		defer cancel()
		_, err := b.ExchangeCode(hangUp, exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS)
		allowInserts(t, b.db, "tokens")
		if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
			t.Errorf("the token is %s, want ACTIVE", got.GetState())
		}
		if got := b.count(isExchange); got != 1 {
			t.Errorf("the code was sent %d times, want once", got)
		}
	})
}

func TestACodeIsNotSpentWhileItCanNotBeReserved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		failInserts(t, b.db, "exchanges")
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
		if got := b.count(isExchange); got != 0 {
			t.Errorf("the code was sent %d times, want never", got)
		}
		allowInserts(t, b.db, "exchanges")
		b.exchange(t, code)
	})
}

func TestAPanicWhileSpendingEndsTheExchange(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *database.DB) {
		meta, url := brokertest.ServeMeta(t, graphsim.Config{})
		var panicked atomic.Bool
		now := func() time.Time {
			if strings.Contains(string(debug.Stack()), "(*Broker).keep") && panicked.CompareAndSwap(false, true) {
				panic("a clock that breaks while the token is kept")
			}
			return time.Now()
		}
		broker := brokertest.Start(t, db, url, brokertest.Options{Now: now})
		code := meta.SignUp(graphsim.SignUp{Token: graphsim.TokenSpec{ExpiresIn: 5184000}}).Code
		start := time.Now()
		_, err := broker.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		if took := time.Since(start); !panicked.Load() || took > 10*time.Second {
			t.Errorf("it took %s, and panicked: %t", took, panicked.Load())
		}
		code = meta.SignUp(graphsim.SignUp{Token: graphsim.TokenSpec{ExpiresIn: 5184000}}).Code
		if _, err := broker.ExchangeCode(t.Context(), exchangeOf("org-2", code)); err != nil {
			t.Errorf("the next code: %v", err)
		}
	})
}

// A server that is stopped finishes what was begun: no code is lost, and no count.
func TestAStopWaitsForCodesThatAreBeingSpent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.After})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		ctx, hangUp := context.WithCancel(t.Context())
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			_, _ = b.ExchangeCode(ctx, exchangeOf("org-1", code))
		}()
		b.held(t, exchangePath, 1)
		hangUp()
		<-heard
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			b.Stop()
		}()
		select {
		case <-stopped:
			t.Error("the stop did not wait")
		default:
		}
		b.meta.Release(hold)
		<-stopped
		if got := number(t, b.db, "select count(*) from exchanges where state = 'STORED'"); got != 1 {
			t.Errorf("%d exchanges are STORED, want 1", got)
		}
		b.Broker = b.start(t, b.db, server.Settings{})
		if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
			t.Errorf("the token is %s, want ACTIVE", got.GetState())
		}
	})
}

// failInserts makes every insert into a table fail, until allowInserts.
func failInserts(t *testing.T, db *database.DB, table string) {
	t.Helper()
	if db.Dialect() == database.SQLite {
		exec(t, db, "create trigger fail_%[1]s before insert on %[1]s begin select raise(abort, 'no'); end", table)
		return
	}
	exec(t, db, "create function fail_%s() returns trigger language plpgsql as $$ begin raise 'no'; end $$", table)
	exec(t, db, "create trigger fail_%[1]s before insert on %[1]s for each row execute function fail_%[1]s()", table)
}

func allowInserts(t *testing.T, db *database.DB, table string) {
	t.Helper()
	on := ""
	if db.Dialect() == database.PostgreSQL {
		on = " on " + table
	}
	exec(t, db, "drop trigger fail_%s%s", table, on)
}
