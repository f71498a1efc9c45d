package broker_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/token-broker/server"
)

// shortLived is the signup of a token that lives two hours.
func shortLived() graphsim.SignUp {
	return graphsim.SignUp{Token: graphsim.TokenSpec{Kind: graphsim.KindUser, ExpiresIn: 7200}}
}

func TestATokenOfAnotherAppIsRefusedAndErased(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: debugPath, Body: text(`{"data":{"app_id":"1","type":"USER","is_valid":true,"scopes":[]}}`)})
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	for range 2 {
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID); f.Metadata()["state"] != "INVALID" {
			t.Errorf("the fault tells %v, want the state INVALID", f.Metadata())
		}
	}
	token, err := b.ofOnboarding(t, "org-1")
	if err != nil || token.GetState() != tokenbrokerv1.Token_INVALID || token.GetReason() != "OTHER_APP" {
		t.Errorf("GetToken = %v, %v, want INVALID for OTHER_APP", token, err)
	}
	_, err = b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
	wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID)
	if got := number(t, b.db, "select count(*) from tokens where ciphertext is not null"); got != 0 {
		t.Error("the token of another app is kept")
	}
	if got, want := b.events(t, token.GetTokenId()), []string{"STORED", "INVALIDATED/OTHER_APP"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestADeadTokenIsRefusedWithOneEvent(t *testing.T) {
	t.Parallel()
	cases := []struct {
		subcode int
		state   tokenbrokerv1.Token_State
		event   string
		fault   errorsv1.ErrorReason
	}{
		{458, tokenbrokerv1.Token_INVALID, "INVALIDATED/TOKEN_INVALID", errorsv1.ErrorReason_TOKEN_INVALID},
		{460, tokenbrokerv1.Token_INVALID, "INVALIDATED/TOKEN_INVALID", errorsv1.ErrorReason_TOKEN_INVALID},
		{463, tokenbrokerv1.Token_EXPIRED, "EXPIRED/TOKEN_EXPIRED", errorsv1.ErrorReason_TOKEN_EXPIRED},
		{467, tokenbrokerv1.Token_INVALID, "INVALIDATED/TOKEN_INVALID", errorsv1.ErrorReason_TOKEN_INVALID},
	}
	b := onPostgres(t)
	for _, c := range cases {
		b.meta.AddFault(graphsim.Fault{Path: debugPath, Body: text(
			`{"data":{"error":{"code":190,"message":"Error validating access token","subcode":%d},"is_valid":false,"scopes":[]}}`, c.subcode)})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		f := wantFault(t, err, c.fault)
		if state := f.Metadata()["state"]; c.fault == errorsv1.ErrorReason_TOKEN_INVALID && state != c.state.String() {
			t.Errorf("%d: the fault tells %s, want %s", c.subcode, state, c.state)
		}
		token, err := b.ofOnboarding(t, "org-1")
		if err != nil || token.GetState() != c.state {
			t.Fatalf("%d: GetToken = %v, %v, want %s", c.subcode, token, err, c.state)
		}
		if got, want := b.events(t, token.GetTokenId()), []string{"STORED", c.event}; !slices.Equal(got, want) {
			t.Errorf("%d: events %v, want %v", c.subcode, got, want)
		}
		_, err = b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
		wantFault(t, err, c.fault)
		_, err = b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-1", TokenId: token.GetTokenId(), WabaId: "102290120000001"})
		wantFault(t, err, c.fault)
	}
}

func TestOneSilenceOfDebugTokenCostsAMoment(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: debugPath, HTML: "<h1>502</h1>"})
	token, waba := b.token(t, graphsim.SignUp{})
	if token.GetState() != tokenbrokerv1.Token_UNVERIFIED {
		t.Errorf("the token is %s, want UNVERIFIED while Meta is silent", token.GetState())
	}
	_, err := b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-1", TokenId: token.GetTokenId(), WabaId: waba})
	if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID); f.Metadata()["state"] != "UNVERIFIED" {
		t.Errorf("the fault tells %v", f.Metadata())
	}
	_, err = b.GetAccessToken(t.Context(), ofToken(token.GetTokenId()))
	if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_UNVERIFIED); f.Delay() == 0 {
		t.Error("TOKEN_UNVERIFIED does not say when to come again")
	}
	eventually(t, "the token is ACTIVE", func() bool {
		return b.describe(t, token.GetTokenId()).GetState() == tokenbrokerv1.Token_ACTIVE
	})
	reveal(t, b.Broker, ofToken(token.GetTokenId())) // at once: that it was not served is not remembered
}

func TestTheJobSettlesATokenThatTheExchangeDidNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.clock.advance(-time.Hour) // the job's time has come when it is made
		hold := b.meta.AddFault(graphsim.Fault{Path: debugPath, Hold: graphsim.Before})
		b.meta.AddFault(graphsim.Fault{Path: debugPath, Error: &graphsim.FaultError{Code: 2}})
		heard := b.exchangeMeanwhile(t, b.meta.SignUp(shortLived()).Code)
		b.held(t, debugPath, 1)
		eventually(t, "the job made the token ACTIVE and extended it", func() bool {
			token, err := b.ofOnboarding(t, "org-1")
			return err == nil && token.GetState() == tokenbrokerv1.Token_ACTIVE && time.Until(token.GetExpireTime().AsTime()) > 24*time.Hour
		})
		b.meta.Release(hold)
		token := <-heard
		if got, want := b.events(t, token.GetTokenId()), []string{"STORED", "VERIFIED", "EXTENDED"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v: each once, whoever came second", got, want)
		}
		if got := number(t, b.db, "select max(attempt) from river_job where kind = 'settle_token'"); got != 1 {
			t.Errorf("Meta's silence cost %d attempts of the job, want none but the one that works", got)
		}
	})
}

func TestTheLongerMetaIsSilentTheLessOftenItIsAsked(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.clock.advance(-time.Hour) // the job's time has come when it is made
	b.meta.AddFault(graphsim.Fault{Path: debugPath, Times: -1, HTML: "<h1>502</h1>"})
	b.token(t, graphsim.SignUp{})
	b.clock.advance(time.Hour + 10*time.Minute)
	eventually(t, "a job of ten minutes comes again in two and a half", func() bool {
		return number(t, b.db, "select count(*) from river_job where scheduled_at between now() + interval '2 min' and now() + interval '3 min'") == 1
	})
}

func TestAShortLivedTokenIsExtendedAtOnceAndServesMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Hold: graphsim.Before})
		heard := b.exchangeMeanwhile(t, b.meta.SignUp(shortLived()).Code)
		b.held(t, exchangePath, 1)
		id := b.onlyToken(t)
		old := reveal(t, b.Broker, ofToken(id))
		if left := time.Until(old.GetExpireTime().AsTime()); left > 2*time.Hour {
			t.Errorf("the old token lives %s, want its two hours", left)
		}
		b.meta.Release(hold)
		token := <-heard
		if left := time.Until(token.GetExpireTime().AsTime()); left < 50*24*time.Hour {
			t.Errorf("the answered token lives %s, want about 60 days", left)
		}
		extended := reveal(t, b.Broker, ofToken(id))
		if extended.GetAccessToken() == old.GetAccessToken() || extended.GetAppsecretProof() == old.GetAppsecretProof() {
			t.Error("the old token is still served")
		}
		if got, want := b.events(t, id), []string{"STORED", "VERIFIED", "EXTENDED"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	})
}

// exchangeMeanwhile spends a code of org-1 beside the test.
func (b *bundle) exchangeMeanwhile(t *testing.T, code string) <-chan *tokenbrokerv1.Token {
	t.Helper()
	heard := make(chan *tokenbrokerv1.Token, 1)
	go func() {
		resp, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		if err != nil {
			t.Errorf("ExchangeCode: %v", err)
		}
		heard <- resp.GetToken()
	}()
	return heard
}

// onlyToken is the id of the one token that is stored.
func (b *bundle) onlyToken(t *testing.T) (id string) {
	t.Helper()
	if err := b.db.SQL().QueryRowContext(t.Context(), "select id from tokens").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestATokenThatCanNotBeExtendedServesOn(t *testing.T) {
	t.Parallel()
	// The first question about a token is the old one's, the second the new one's.
	second := func(b *bundle, f graphsim.Fault) {
		hold := b.meta.AddFault(graphsim.Fault{Path: debugPath, Hold: graphsim.Before})
		b.meta.Release(hold)
		f.Path = debugPath
		b.meta.AddFault(f)
	}
	cases := map[string]struct {
		script func(b *bundle)
		reason string
	}{
		"refused": {func(b *bundle) {
			b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Error: &graphsim.FaultError{Code: 100}})
		}, "META_REJECTED"},
		"dead": {func(b *bundle) {
			second(b, graphsim.Fault{Body: text(`{"data":{"error":{"code":190,"message":"no","subcode":467},"is_valid":false}}`)})
		}, "TOKEN_INVALID"},
		"another app's": {func(b *bundle) {
			second(b, graphsim.Fault{Body: text(`{"data":{"app_id":"1","is_valid":true}}`)})
		}, "TOKEN_INVALID"},
	}
	b := onPostgres(t)
	for name, c := range cases {
		c.script(b)
		token, _ := b.token(t, shortLived())
		if left := time.Until(token.GetExpireTime().AsTime()); token.GetState() != tokenbrokerv1.Token_ACTIVE || left > 2*time.Hour {
			t.Errorf("%s: the token is %s and lives %s, want the old one", name, token.GetState(), left)
		}
		reveal(t, b.Broker, ofToken(token.GetTokenId()))
		want := []string{"STORED", "VERIFIED", "EXTENSION_FAILED/" + c.reason}
		if got := b.events(t, token.GetTokenId()); !slices.Equal(got, want) {
			t.Errorf("%s: events %v, want %v", name, got, want)
		}
	}
}

func TestAnExtensionThatIsNotAnsweredIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: exchangePath, Params: isExtension, Drop: graphsim.After})
	token, _ := b.token(t, shortLived())
	if token.GetState() != tokenbrokerv1.Token_ACTIVE {
		t.Errorf("the token is %s, want ACTIVE", token.GetState())
	}
	eventually(t, "the token is extended", func() bool {
		return time.Until(b.describe(t, token.GetTokenId()).GetExpireTime().AsTime()) > 24*time.Hour
	})
}

func TestATokenThatNeverExpiresIsNotExtended(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	token, _ := b.token(t, graphsim.SignUp{})
	if token.GetExpireTime() != nil || b.count(isExtension) != 0 {
		t.Errorf("the token expires at %v after %d extensions, want never and none", token.GetExpireTime().AsTime(), b.count(isExtension))
	}
}

func TestATokenThatIsNeverBoundIsErasedAfterADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		unbound, _ := b.token(t, graphsim.SignUp{})
		bound, waba := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, bound.GetTokenId(), waba)
		b.clock.advance(25 * time.Hour)
		fresh, _ := b.token(t, graphsim.SignUp{})
		b.Stop() // the job runs at each start
		b.Broker = b.start(t, b.db, server.Settings{})
		eventually(t, "the unbound token is erased", func() bool {
			return b.describe(t, unbound.GetTokenId()).GetState() == tokenbrokerv1.Token_REVOKED
		})
		if got, want := b.events(t, unbound.GetTokenId()), []string{"STORED", "VERIFIED", "ERASED/NEVER_BOUND"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		if got := number(t, b.db, "select count(*) from tokens where ciphertext is not null"); got != 2 {
			t.Errorf("%d tokens are kept, want the bound and the fresh one", got)
		}
		reveal(t, b.Broker, ofWABA(waba))
		reveal(t, b.Broker, ofToken(fresh.GetTokenId()))
		if got := b.meta.Count(http.MethodGet, revokePath); got != 0 {
			t.Errorf("Meta was told %d times, want never", got)
		}
	})
}

func TestWhoWasShownATokenIsKnownForNinetyDays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, waba := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, token.GetTokenId(), waba)
		reveal(t, b.Broker, ofWABA(waba))
		b.clock.advance(2 * 24 * time.Hour)
		reveal(t, b.Broker, ofWABA(waba))
		b.clock.advance(89 * 24 * time.Hour)
		b.Stop() // the job runs at each start
		b.Broker = b.start(t, b.db, server.Settings{})
		eventually(t, "the reveal of 91 days ago is erased", func() bool { return number(t, b.db, "select count(*) from token_reveals") < 2 })
		if got := number(t, b.db, "select count(*) from token_reveals"); got != 1 {
			t.Errorf("%d reveals are left, want that of 89 days ago", got)
		}
	})
}

func TestWhatMetaGrantedIsDescribedHoweverMetaWritesIt(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	for _, granular := range []string{
		graphsim.GranularTargets, graphsim.GranularAbsent, graphsim.GranularRenamed, graphsim.GranularDuplicated,
		graphsim.GranularBusinessIDs, graphsim.GranularNumeric,
	} {
		done := b.meta.SignUp(graphsim.SignUp{Granular: granular})
		want := done.WABAIDs
		switch granular {
		case graphsim.GranularAbsent:
			want = nil
		case graphsim.GranularBusinessIDs:
			want = append(slices.Clone(want), done.BusinessID) // of the two, the one that may be a WABA comes first
		}
		if got := b.exchange(t, done.Code).GetTargetIds(); !cmp.Equal(got, want) {
			t.Errorf("%s: targets %v, want %v", granular, got, want)
		}
	}
}
