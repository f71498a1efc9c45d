package broker_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/token-broker/brokertest"
)

func TestBindingATokenReplacesAndErasesTheOneBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		old, waba := b.token(t, graphsim.SignUp{})
		if got := bind(t, b.Broker, old.GetTokenId(), waba); got != "" {
			t.Errorf("the first binding replaced %q", got)
		}
		if got := bind(t, b.Broker, old.GetTokenId(), waba); got != "" {
			t.Errorf("the same binding again replaced %q", got)
		}
		next, _ := b.token(t, graphsim.SignUp{})
		if got := bind(t, b.Broker, next.GetTokenId(), waba); got != old.GetTokenId() {
			t.Errorf("the next binding replaced %q, want %q", got, old.GetTokenId())
		}
		if got := reveal(t, b.Broker, ofWABA(waba)).GetTokenId(); got != next.GetTokenId() {
			t.Errorf("%s serves the WABA, want %s", got, next.GetTokenId())
		}
		ended := b.describe(t, old.GetTokenId())
		if ended.GetState() != tokenbrokerv1.Token_SUPERSEDED || len(ended.GetWabaIds()) != 0 {
			t.Errorf("the old token is %s and serves %v", ended.GetState(), ended.GetWabaIds())
		}
		if got := b.describe(t, next.GetTokenId()).GetWabaIds(); !slices.Equal(got, []string{waba}) {
			t.Errorf("the next token serves %v, want %s", got, waba)
		}
		if got, want := b.events(t, old.GetTokenId()), []string{"STORED", "VERIFIED", "BOUND", "SUPERSEDED"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		if got := number(t, b.db, "select count(*) from tokens where ciphertext is not null"); got != 1 {
			t.Errorf("%d ciphertexts are kept, want 1", got)
		}
		_, err := b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-1", TokenId: old.GetTokenId(), WabaId: waba})
		if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID); f.Metadata()["state"] != "SUPERSEDED" {
			t.Errorf("the fault tells %v, want SUPERSEDED: a paused twin does not undo a newer bind", f.Metadata())
		}
	})
}

func TestATokenIsErasedWithItsLastBinding(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, _ := b.token(t, graphsim.SignUp{})
		id := token.GetTokenId()
		bind(t, b.Broker, id, "1")
		bind(t, b.Broker, id, "2")
		if got := bind(t, b.Broker, "", "1"); got != id {
			t.Errorf("unbinding answered %q, want the token", got)
		}
		if got := b.describe(t, id); got.GetState() != tokenbrokerv1.Token_ACTIVE || !slices.Equal(got.GetWabaIds(), []string{"2"}) {
			t.Errorf("with one binding left the token is %s and serves %v", got.GetState(), got.GetWabaIds())
		}
		_, err := b.GetAccessToken(t.Context(), ofWABA("1"))
		wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
		reveal(t, b.Broker, ofWABA("2"))
		bind(t, b.Broker, "", "2")
		if got := b.describe(t, id); got.GetState() != tokenbrokerv1.Token_REVOKED || got.GetReason() != "UNBOUND" {
			t.Errorf("without a binding the token is %s for %s", got.GetState(), got.GetReason())
		}
		if got := bind(t, b.Broker, "", "2"); got != "" {
			t.Errorf("unbinding again answered %q", got)
		}
		want := []string{"STORED", "VERIFIED", "BOUND", "BOUND", "UNBOUND", "UNBOUND", "REVOKED/UNBOUND"}
		if got := b.events(t, id); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		if got := number(t, b.db, "select count(*) from tokens where ciphertext is not null"); got != 0 {
			t.Errorf("%d ciphertexts are kept, want none", got)
		}
	})
}

func TestAStrangersTokenCanNotBeBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, waba := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, token.GetTokenId(), waba)
		for _, id := range []string{token.GetTokenId(), uuid.NewString()} {
			_, err := b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-2", TokenId: id, WabaId: waba})
			wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
		}
		resp, err := b.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "org-2", WabaId: waba})
		if err != nil || resp.GetReplacedTokenId() != "" {
			t.Errorf("a stranger's unbinding = %v, %v, want that nothing happens", resp, err)
		}
		reveal(t, b.Broker, ofWABA(waba))
	})
}

func TestOfTokensBoundAtOnceOneIsLeft(t *testing.T) {
	t.Parallel()
	b, other := pair(t)
	for range 5 {
		var ids []string
		for range 4 {
			token, _ := b.token(t, graphsim.SignUp{})
			ids = append(ids, token.GetTokenId())
		}
		waba := fmt.Sprint(7000 + number(t, b.db, "select count(*) from tokens"))
		replaced := make([]string, len(ids))
		atOnce(len(ids), func(i int) {
			replaced[i] = bind(t, []*brokertest.Broker{b.Broker, other}[i%2], ids[i], waba)
		})
		left := reveal(t, b.Broker, ofWABA(waba)).GetTokenId()
		for _, id := range ids {
			state := b.describe(t, id).GetState()
			if (id == left) != (state == tokenbrokerv1.Token_ACTIVE) || (id == left) == slices.Contains(replaced, id) {
				t.Errorf("%s is %s, was replaced: %t, and %s serves", id, state, slices.Contains(replaced, id), left)
			}
		}
	}
}

func TestATokenThatLosesItsLastTwoBindingsAtOnceIsErased(t *testing.T) {
	t.Parallel()
	b, other := pair(t)
	for range 10 {
		token, _ := b.token(t, graphsim.SignUp{})
		bind(t, b.Broker, token.GetTokenId(), "1")
		bind(t, b.Broker, token.GetTokenId(), "2")
		atOnce(2, func(i int) { bind(t, []*brokertest.Broker{b.Broker, other}[i], "", fmt.Sprint(i+1)) })
		if got := b.describe(t, token.GetTokenId()).GetState(); got != tokenbrokerv1.Token_REVOKED {
			t.Fatalf("the token is %s, want REVOKED", got)
		}
	}
}

func TestRevokingEndsATokenOnceAndTellsMetaOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, waba := b.token(t, graphsim.SignUp{})
		id := token.GetTokenId()
		bind(t, b.Broker, id, waba)
		reveal(t, b.Broker, ofWABA(waba))
		atOnce(10, func(int) {
			if got := revoke(t, b.Broker, id); got.GetState() != tokenbrokerv1.Token_REVOKED || got.GetReason() != "REVOKED" {
				t.Errorf("the token is %s for %s", got.GetState(), got.GetReason())
			}
		})
		for _, req := range []*tokenbrokerv1.GetAccessTokenRequest{ofWABA(waba), ofToken(id)} {
			_, err := b.GetAccessToken(t.Context(), req)
			wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID)
		}
		if got, want := b.events(t, id), []string{"STORED", "VERIFIED", "BOUND", "REVOKED/REVOKED"}; !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		if got := number(t, b.db, "select count(*) from tokens where ciphertext is not null"); got != 0 {
			t.Error("the ciphertext is kept")
		}
		b.Stop() // waits for what is still under way
		if got := b.meta.Count(http.MethodGet, revokePath); got != 1 {
			t.Errorf("Meta was told %d times, want once", got)
		}
	})
}

func TestARevokedTokenIsRevokedThoughMetaIsSilent(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	b.meta.AddFault(graphsim.Fault{Path: revokePath, Drop: graphsim.Before, Times: -1})
	token, _ := b.token(t, graphsim.SignUp{})
	if got := revoke(t, b.Broker, token.GetTokenId()).GetState(); got != tokenbrokerv1.Token_REVOKED {
		t.Errorf("the token is %s, want REVOKED", got)
	}
	eventually(t, "the log says that Meta was not told", func() bool { return strings.Contains(b.logs.String(), "Meta was not told") })
	_, err := b.RevokeToken(t.Context(), &tokenbrokerv1.RevokeTokenRequest{OrganizationId: "org-2", TokenId: token.GetTokenId()})
	wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
}

func TestTheCodeOfATokenThatEndedAnswersItsEnd(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	code := b.meta.SignUp(graphsim.SignUp{}).Code
	revoke(t, b.Broker, b.exchange(t, code).GetTokenId())
	_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
	if f := wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID); f.Metadata()["state"] != "REVOKED" {
		t.Errorf("the fault tells %v, want REVOKED", f.Metadata())
	}
	token, err := b.ofOnboarding(t, "org-1")
	if err != nil || token.GetState() != tokenbrokerv1.Token_REVOKED {
		t.Errorf("by onboarding the answer is %v, %v, want the token as it is", token, err)
	}
}

func TestEventsArePagedNewestFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		token, _ := b.token(t, graphsim.SignUp{})
		id := token.GetTokenId()
		for waba := range 5 {
			bind(t, b.Broker, id, fmt.Sprint(waba+1))
		}
		list := func(req *tokenbrokerv1.ListTokenEventsRequest) (*tokenbrokerv1.ListTokenEventsResponse, error) {
			return b.ListTokenEvents(t.Context(), req)
		}
		var got []string
		req := &tokenbrokerv1.ListTokenEventsRequest{OrganizationId: "org-1", TokenId: strings.ToUpper(id), PageSize: 3}
		for pages := 1; ; pages++ {
			resp, err := list(req)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range resp.GetEvents() {
				got = append(got, e.GetType()+e.GetWabaId()+" by "+e.GetActor())
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				if pages != 3 {
					t.Errorf("7 events came in %d pages of 3", pages)
				}
				break
			}
		}
		want := []string{
			"BOUND5 by brokertest", "BOUND4 by brokertest", "BOUND3 by brokertest", "BOUND2 by brokertest", "BOUND1 by brokertest",
			"VERIFIED by token-broker", "STORED by brokertest",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		req.PageToken = ""
		page, err := list(req)
		if err != nil {
			t.Fatal(err)
		}
		own := page.GetNextPageToken()
		other, _ := b.token(t, graphsim.SignUp{})
		for name, req := range map[string]*tokenbrokerv1.ListTokenEventsRequest{
			"forged":                 {OrganizationId: "org-1", TokenId: id, PageToken: "AAAA" + own[4:]},
			"nonsense":               {OrganizationId: "org-1", TokenId: id, PageToken: "?"},
			"another token's":        {OrganizationId: "org-1", TokenId: other.GetTokenId(), PageToken: own},
			"another organization's": {OrganizationId: "org-2", TokenId: id, PageToken: own},
		} {
			_, err := list(req)
			if f, _ := fault.As(err); f == nil || f.Reason() != errorsv1.ErrorReason_INVALID_FIELD || !strings.Contains(f.Error(), "pageToken") {
				t.Errorf("%s page token: %v, want INVALID_FIELD for pageToken", name, err)
			}
		}
		for _, req := range []*tokenbrokerv1.ListTokenEventsRequest{
			{OrganizationId: "org-2", TokenId: id}, {OrganizationId: "org-1", TokenId: uuid.NewString()},
		} {
			_, err := list(req)
			wantFault(t, err, errorsv1.ErrorReason_TOKEN_NOT_FOUND)
		}
	})
}

func TestRequestsThatBreakTheRulesAreRefusedByField(t *testing.T) {
	t.Parallel()
	b := onPostgres(t)
	code := strings.Repeat("x", 5000)
	_, err := b.ExchangeCode(t.Context(), exchangeOf("org 1", code))
	f := wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	if !strings.Contains(f.Error(), "organizationId") || !strings.Contains(f.Error(), "code") || strings.Contains(f.Error(), code[:20]) {
		t.Errorf("the fault is %v, want both fields named and the code nowhere", f)
	}
	_, err = b.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{OrganizationId: "org-1"})
	wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	_, err = b.GetAccessToken(t.Context(), ofWABA("1 or 1=1"))
	wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	if got := len(b.meta.Journal()); got != 0 {
		t.Errorf("Meta was asked %d times, want never", got)
	}
}
