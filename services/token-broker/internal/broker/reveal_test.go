package broker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/durationpb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/token-broker/server"
)

func TestATokenIsRevealedByWABAAndById(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, waba := b.token(t, graphsim.SignUp{})
		_, err := b.GetAccessToken(t.Context(), ofWABA(waba))
		wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND) // not bound yet
		bind(t, b.Broker, token.GetTokenId(), waba)
		byWABA, byID := reveal(t, b.Broker, ofWABA(waba)), reveal(t, b.Broker, ofToken(token.GetTokenId()))
		if byWABA.GetAccessToken() == "" || byWABA.GetAccessToken() != byID.GetAccessToken() || byWABA.GetAppsecretProof() == "" {
			t.Errorf("by WABA and by id the answers differ, or are empty")
		}
		if byWABA.GetTokenId() != token.GetTokenId() || byWABA.GetOwnBusiness() || byWABA.GetExpireTime() != nil {
			t.Errorf("the answer is about %s, own business %t, expiry %v", byWABA.GetTokenId(), byWABA.GetOwnBusiness(), byWABA.GetExpireTime())
		}
	})
}

func TestAStrangersTokenIsNotFoundLikeARandomOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, waba := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, token.GetTokenId(), waba)
		strangers, random := ofToken(token.GetTokenId()), ofToken(uuid.NewString())
		strangersWABA, randomWABA := ofWABA(waba), ofWABA("1")
		var answers []string
		for _, req := range []*tokenbrokerv1.GetAccessTokenRequest{strangers, random, strangersWABA, randomWABA} {
			req.OrganizationId = "org-2"
			_, err := b.GetAccessToken(t.Context(), req)
			f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
			answers = append(answers, fmt.Sprint(f.Status(fault.English).Proto()))
		}
		for _, answer := range answers[1:] {
			if answer != answers[0] {
				t.Errorf("two answers differ: %s and %s", answers[0], answer)
			}
		}
	})
}

func TestATokenPastItsExpiryIsDoubtedForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Error: &graphsim.FaultError{Code: 100}})
	token, _ := b.token(t, shortLived())
	withMinValidity := func(d time.Duration) error {
		req := ofToken(token.GetTokenId())
		req.MinValidity = durationpb.New(d)
		_, err := b.GetAccessToken(t.Context(), req)
		return err
	}
	if err := withMinValidity(118 * time.Minute); err != nil {
		t.Errorf("with 118 of 120 minutes: %v", err)
	}
	wantFault(t, withMinValidity(122*time.Minute), errorsv1.ErrorReason_TOKEN_EXPIRED)
	b.clock.advance(2*time.Hour + 14*time.Minute)
	reveal(t, b.Broker, ofToken(token.GetTokenId()))
	wantFault(t, withMinValidity(time.Second), errorsv1.ErrorReason_TOKEN_EXPIRED)
	b.clock.advance(2 * time.Minute)
	_, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
	if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_EXPIRED); f.Metadata()["expireTime"] == "" {
		t.Errorf("the fault does not say when it expired: %v", f.Metadata())
	}
	if got := b.describe(t, token.GetTokenId()).GetState(); got != tokenbrokerv1.Token_ACTIVE {
		t.Errorf("the token is %s: our clock alone changes no state", got)
	}
}

// The promise of two seconds is for every answer on every replica: another broker is asked all the time, while the clock
// of both goes on in steps.
func TestARevokedOrReplacedTokenIsServedForTwoSecondsAtMost(t *testing.T) {
	t.Parallel()
	b, other := pair(t)
	first, waba := b.token(t, graphsim.SignUp{})
	bind(t, b.Broker, first.GetTokenId(), waba)
	second := b.exchange(t, b.meta.SignUp(graphsim.SignUp{WABAIDs: []string{waba}}).Code)

	b.clock.stop()
	const callers, step = 4, 100 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	served := map[string]time.Time{} // when a call that was answered with a token began, the last one
	var asked atomic.Int64
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() {
			for ; ctx.Err() == nil; asked.Add(1) {
				began := b.clock.now()
				resp, err := other.GetAccessToken(ctx, ofWABA(waba))
				if err != nil {
					continue
				}
				mu.Lock()
				if served[resp.GetTokenId()].Before(began) {
					served[resp.GetTokenId()] = began
				}
				mu.Unlock()
			}
		})
	}
	askedAgain := func() { // more often than by calls that were under way
		enough := asked.Load() + 2*callers
		eventually(t, "the other broker is asked", func() bool { return asked.Load() >= enough })
	}
	pass := func() {
		for range 25 {
			b.clock.advance(step)
			askedAgain()
		}
	}
	askedAgain() // so that it holds the first token
	if got := bind(t, b.Broker, second.GetTokenId(), waba); got != first.GetTokenId() {
		t.Errorf("BindWaba replaced %q, want the first token", got)
	}
	replaced := b.clock.now()
	pass()
	revoke(t, b.Broker, second.GetTokenId())
	revoked := b.clock.now()
	_, err := b.GetAccessToken(t.Context(), ofWABA(waba)) // in the process that did it there is nothing to wait for
	wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID)
	pass()
	stop()
	calling.Wait()
	if late := served[first.GetTokenId()].Sub(replaced); late != 2*time.Second-step {
		t.Errorf("the replaced token was last served %s after it was replaced, want the last step before two seconds", late)
	}
	if late := served[second.GetTokenId()].Sub(revoked); late >= 2*time.Second || late < step {
		t.Errorf("the revoked token was last served %s after it was revoked, want less than two seconds", late)
	}
}

func revoke(t *testing.T, b *brokertest.Broker, id string) *tokenbrokerv1.Token {
	t.Helper()
	resp, err := b.RevokeToken(t.Context(), &tokenbrokerv1.RevokeTokenRequest{OrganizationId: "org-1", TokenId: id})
	if err != nil {
		t.Fatalf("RevokeToken: %v", err)
	}
	return resp.GetToken()
}

func TestEveryRevealIsCountedAndTheFirstOfAMinuteBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, _ := b.token(t, graphsim.SignUp{})
		const counted = "select coalesce(sum(count), 0) from token_reveals where caller = '%s' and token_id = '%s'"
		sum := func() int { return number(t, b.db, counted, brokertest.Caller, token.GetTokenId()) }
		reveal(t, b.Broker, ofToken(token.GetTokenId()))
		if got := sum(); got != 1 {
			t.Errorf("%d reveals are on record after the first answer, want 1", got)
		}
		atOnce(30, func(int) {
			if _, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId())); err != nil {
				t.Error(err)
			}
		})
		b.clock.advance(time.Minute)
		reveal(t, b.Broker, ofToken(token.GetTokenId()))
		if got := number(t, b.db, "select count(*) from token_reveals"); got != 2 {
			t.Errorf("%d minutes are on record, want 2", got)
		}
		if b.db.Dialect() == database.PostgreSQL { // it takes as long on SQLite, and proves no more
			eventually(t, "the counts in memory are written", func() bool { return sum() == 32 })
		}
		atOnce(10, func(int) { _, _ = b.GetAccessToken(t.Context(), ofToken(token.GetTokenId())) })
		b.Stop()
		if got := sum(); got != 42 {
			t.Errorf("%d reveals are on record after the stop, want 42", got)
		}
	})
}

func TestTheOperatorsOwnTokenServesItsOwnBusinessOnly(t *testing.T) {
	t.Parallel()
	const ownToken, ownWABA = "EAAtheoperatorsowntoken", "990000000000001"
	eachDatabase(t, func(t *testing.T, db *database.DB) {
		b := setup(t, db, server.Settings{
			MetaAccessToken: secret.New(ownToken), MetaOwnOrganization: "org-1", MetaOwnWABAIDs: []string{ownWABA},
		})
		own := reveal(t, b.Broker, ofWABA(ownWABA))
		if own.GetAccessToken() != ownToken || !own.GetOwnBusiness() || own.GetTokenId() != "" || own.GetAppsecretProof() == "" {
			t.Errorf("the own business is served %v", own.GetOwnBusiness())
		}
		if got := number(t, b.db, "select sum(count) from token_reveals where token_id = 'own-business/%s'", ownWABA); got != 1 {
			t.Errorf("%d reveals of the own token are on record, want 1", got)
		}
		elsewhere := ofWABA(ownWABA)
		elsewhere.OrganizationId = "org-2"
		for name, req := range map[string]*tokenbrokerv1.GetAccessTokenRequest{
			"another organization": elsewhere, "another WABA": ofWABA("990000000000002"), "by token id": ofToken(uuid.NewString()),
		} {
			_, err := b.GetAccessToken(t.Context(), req)
			if f, _ := fault.As(err); f == nil || f.Reason() != errorsv1.ErrorReason_TOKEN_NOT_FOUND {
				t.Errorf("%s: %v, want TOKEN_NOT_FOUND", name, err)
			}
		}
		// A token of the organization's own comes first, and no fallback replaces it when it is dead.
		token, _ := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, token.GetTokenId(), ownWABA)
		if got := reveal(t, b.Broker, ofWABA(ownWABA)); got.GetOwnBusiness() || got.GetTokenId() != token.GetTokenId() {
			t.Errorf("the organization's own token is not served: %s", got.GetTokenId())
		}
		revoke(t, b.Broker, token.GetTokenId())
		_, err := b.GetAccessToken(t.Context(), ofWABA(ownWABA))
		wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID)
	})
}

func TestACiphertextOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		first, _ := b.token(t, graphsim.SignUp{})
		second, _ := b.token(t, graphsim.SignUp{})
		exec(t, b.db, "update tokens set ciphertext = (select ciphertext from tokens where id = '%s') where id = '%s'",
			first.GetTokenId(), second.GetTokenId())
		_, err := b.GetAccessToken(t.Context(), ofToken(second.GetTokenId()))
		wantFault(t, err, errorsv1.ErrorReason_DATA_INTEGRITY)
		exec(t, b.db, "update tokens set organization_id = 'org-2' where id = '%s'", first.GetTokenId())
		moved := ofToken(first.GetTokenId())
		moved.OrganizationId = "org-2"
		_, err = b.GetAccessToken(t.Context(), moved)
		wantFault(t, err, errorsv1.ErrorReason_DATA_INTEGRITY)
	})
}

func TestAnOlderCiphertextThatIsPutBackDoesNotOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Hold: graphsim.Before})
		heard := b.exchangeMeanwhile(t, b.meta.SignUp(shortLived()).Code)
		b.held(t, exchangePath, 1)
		exec(t, b.db, "create table older as select ciphertext from tokens")
		b.meta.Release(hold)
		id := (<-heard).GetTokenId()
		exec(t, b.db, "update tokens set ciphertext = (select ciphertext from older)")
		_, err := b.GetAccessToken(t.Context(), ofToken(id))
		wantFault(t, err, errorsv1.ErrorReason_DATA_INTEGRITY)
		if got := b.describe(t, id).GetState(); got != tokenbrokerv1.Token_ACTIVE {
			t.Errorf("the token is %s, want it unchanged", got)
		}
	})
}

func TestWithoutItsAuditATokenIsNotRevealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, _ := b.token(t, graphsim.SignUp{})
		failInserts(t, b.db, "token_reveals")
		resp, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
		if err == nil || resp != nil {
			t.Errorf("GetAccessToken = %v, want an error", resp)
		}
		allowInserts(t, b.db, "token_reveals")
		reveal(t, b.Broker, ofToken(token.GetTokenId()))
	})
}

func TestWithAReadOnlyDatabaseNothingIsRevealedAndDescriptionsGoOn(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	token, waba := b.token(t, graphsim.SignUp{})
	setReadOnly(t, b.db, true)
	_, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
	wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
	_, err = b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-1", TokenId: token.GetTokenId(), WabaId: waba})
	wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
	_, err = b.ExchangeCode(t.Context(), exchangeOf("org-1", b.meta.SignUp(graphsim.SignUp{}).Code))
	wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
	b.describe(t, token.GetTokenId())
	b.events(t, token.GetTokenId())
	setReadOnly(t, b.db, false)
	reveal(t, b.Broker, ofToken(token.GetTokenId()))
}

// setReadOnly makes a database refuse writes. It is a property of new sessions, so the old ones go.
func setReadOnly(t *testing.T, db *database.DB, on bool) {
	t.Helper()
	conn, err := db.SQL().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var name string
	if err := conn.QueryRowContext(t.Context(), "select current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"set default_transaction_read_only = off",
		fmt.Sprintf("alter database %s set default_transaction_read_only = %t", name, on),
		"select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
		fmt.Sprintf("set default_transaction_read_only = %t", on),
	} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestAFrozenAuditHoldsUpRevealsAndACallerThatLeavesFailsNobodyElse(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	token, _ := b.token(t, graphsim.SignUp{})
	unlock := lock(t, b.db, "token_reveals")
	impatient := make(chan error, 1)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		_, err := b.GetAccessToken(ctx, ofToken(token.GetTokenId()))
		impatient <- err
	}()
	awaitLock(t, b.db) // the impatient one is the first
	patient := make(chan error, 1)
	go func() {
		_, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
		patient <- err
	}()
	others := func() { // take the patient one as far as it gets
		for range 10 {
			b.describe(t, token.GetTokenId())
		}
	}
	others()
	leave()
	wantFault(t, <-impatient, errorsv1.ErrorReason_CANCELLED)
	eventually(t, "the broker knows that the first one left", func() bool { return strings.Contains(b.logs.String(), `"reason":"CANCELLED"`) })
	others()
	select {
	case err := <-patient:
		t.Fatalf("a token was revealed, or refused, while its audit was frozen: %v", err)
	default:
	}
	unlock()
	if err := <-patient; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	if got := number(t, b.db, "select count(*) from token_reveals"); got != 1 {
		t.Errorf("%d rows of reveals, want 1", got)
	}
}

func TestATokenThatIsRevokedWhileItsAuditIsFrozenIsNotRevealed(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	token, _ := b.token(t, graphsim.SignUp{})
	unlock := lock(t, b.db, "token_reveals")
	heard := make(chan error, 1)
	go func() {
		_, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
		heard <- err
	}()
	awaitLock(t, b.db) // read and opened, and waiting for its audit
	revoke(t, b.Broker, token.GetTokenId())
	b.clock.advance(2 * time.Second)
	unlock()
	f := wantFault(t, <-heard, errorsv1.ErrorReason_TOKEN_INVALID)
	if diff := cmp.Diff(map[string]string{"state": "REVOKED"}, f.Metadata()); diff != "" {
		t.Error(diff)
	}
}

func TestAnAuditThatStaysFrozenIsAnOutage(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	token, _ := b.token(t, graphsim.SignUp{})
	lock(t, b.db, "token_reveals")
	_, err := b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
	wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
}
