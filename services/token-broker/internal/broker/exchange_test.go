package broker_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
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
			resp, err := exchangePatiently(t, b.Broker, code)
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
			resp, err := exchangePatiently(t, client, code)
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

// exchangePatiently asks again while the database has no time: fifty callers at once may be more than this machine serves
// within the budget of a reservation.
func exchangePatiently(t *testing.T, client *brokertest.Broker, code string) (*tokenbrokerv1.ExchangeCodeResponse, error) {
	t.Helper()
	for try := 0; ; try++ {
		resp, err := client.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		if f, ok := fault.As(err); !ok || f.Reason() != errorsv1.ErrorReason_STORAGE_UNAVAILABLE || try == 10 {
			return resp, err
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

	impatient, cancel := context.WithTimeout(t.Context(), 5*time.Second)
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
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(i)*2*time.Millisecond, cancel)
			_, _ = b.ExchangeCode(ctx, exchangeOf("org-1", code))
			if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
				t.Errorf("the token is %s, want ACTIVE", got.GetState())
			}
			cancel()
		}
	})
}

func TestACallerThatLeavesWhileItsCodeIsReservedStillGetsItSpent(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	unlock := lock(t, b.db, "exchanges")
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	ctx, hangUp := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		_, err := b.ExchangeCode(ctx, exchangeOf("org-1", code))
		heard <- err
	}()
	awaitLock(t, b.db)
	hangUp()
	wantFault(t, <-heard, errorsv1.ErrorReason_CANCELLED)
	unlock()
	eventually(t, "the code is spent", func() bool { return b.count(isExchange) == 1 }) // nobody asked again
	if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
		t.Errorf("the token is %s, want ACTIVE", got.GetState())
	}
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
	db := databasetest.Open(t, sqliteURL(t))
	broker := brokertest.Start(t, db, "http://"+address, brokertest.Options{})
	heard := make(chan error, 1)
	go func() {
		resp, err := broker.ExchangeCode(t.Context(), exchangeOf("org-1", meta.SignUp(graphsim.SignUp{}).Code))
		if err == nil && resp.GetToken().GetState() != tokenbrokerv1.Token_ACTIVE {
			err = fmt.Errorf("the token is %s, want ACTIVE", resp.GetToken().GetState())
		}
		heard <- err
	}()
	eventually(t, "the code is reserved", func() bool { return number(t, db, "select count(*) from exchanges") == 1 })
	time.Sleep(200 * time.Millisecond) // the first connection is refused
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	served := &http.Server{Handler: meta}
	t.Cleanup(func() { _ = served.Close() })
	go func() { _ = served.Serve(listener) }()
	if err := <-heard; err != nil {
		t.Error(err)
	}
	if got := meta.Count(http.MethodPost, exchangePath); got != 1 {
		t.Errorf("the code was sent %d times, want once", got)
	}
}

// isUnheard tells that an exchange had not ended when its caller was answered.
func isUnheard(err error) bool {
	f, ok := fault.As(err)
	return ok && (f.Reason() == errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS || f.Reason() == errorsv1.ErrorReason_DEADLINE_EXCEEDED)
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
		other, want := &bundle{Broker: c.broker}, c.want
		for isUnheard(err) && time.Since(start) < 35*time.Second { // this machine needs more than the two seconds that a call has beyond the budget
			time.Sleep(100 * time.Millisecond)
			_, err = other.ofOnboarding(t, c.organization)
			want = c.again
		}
		if f, _ := fault.As(err); f == nil || f.Reason() != want {
			t.Errorf("%s: the error is %v, want %s", c.organization, err, want)
		}
		if took := time.Since(start); took < 19*time.Second || took > 35*time.Second { // after 40 the lease would end it
			t.Errorf("%s: it took %s, want about 20 s", c.organization, took)
		}
		_, err = other.ofOnboarding(t, c.organization)
		if f, _ := fault.As(err); f == nil || f.Reason() != c.again {
			t.Errorf("%s: asked again, the error is %v, want %s", c.organization, err, c.again)
		}
	})
	if got := number(t, db, "select count(*) from tokens"); got != 0 {
		t.Errorf("%d tokens are stored, want none", got)
	}
}
