package graph_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whatrack/connect/services/internal/graph"
)

func TestATokenIsDescribedWhateverFormItsIDsHave(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"data":{"app_id":670843880000001,"type":"SYSTEM_USER","application":"My App",
		"data_access_expires_at":0,"expires_at":1893456000,"is_valid":true,"issued_at":"1712099387",
		"scopes":["business_management","whatsapp_business_manage_events"],
		"granular_scopes":[{"scope":"business_management","target_ids":["2729063490000001"]},
			{"scope":"whatsapp_business_messaging","target_ids":[10229012000000187654321,"102290120000001"]},
			{"scope":"ads_read","target_ids":["act_1","102290120000001",null,{}]},"a string",{"scope":"whatsapp_business_messaging"}],
		"user_id":"104169020000001"}}`))
	got, err := m.DebugToken(t.Context(), token())
	if err != nil {
		t.Fatal(err)
	}
	want := graph.TokenInfo{
		AppID: appID, Type: graph.SystemUser, Valid: true,
		ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		Scopes:    []string{"business_management", "whatsapp_business_manage_events"},
		TargetIDs: []string{"10229012000000187654321", "102290120000001", "2729063490000001"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(graph.TokenInfo{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	query := url.Values{"input_token": {tokenText}, "access_token": {appID + "|" + appSecret}}
	if diff := cmp.Diff(query, m.last().query); diff != "" || m.last().path != "/v25.0/debug_token" {
		t.Errorf("asked %s (-want +got):\n%s", m.last().path, diff)
	}
}

func TestADeadTokenIsAnAnswerWithItsReason(t *testing.T) {
	t.Parallel()
	for subcode, expired := range map[int]bool{460: false, 463: true} {
		m := setup(t, says(200, `{"data":{"error":{"code":190,"message":"Error validating access token","subcode":`+itoa(subcode)+`},
			"is_valid":false,"scopes":[]}}`))
		got, err := m.DebugToken(t.Context(), token())
		if err != nil {
			t.Fatal(err)
		}
		if got.Expired() != expired {
			t.Errorf("%d: expired is %t", subcode, got.Expired())
		}
		if diff := cmp.Diff(graph.TokenInfo{}, got, cmpopts.IgnoreUnexported(graph.TokenInfo{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestNoWordOnATokenIsNeverTakenForItsDeath(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `{"data":null}`, `{"data":[]}`, `{"data":{}}`, `{"data":{"is_valid":null}}`, `{"data":{"is_valid":0}}`,
		`{"data":{"is_valid":"no"}}`, `{"data":{"is_valid":true}}`, // without app_id it would pass for another app's
		`{"data":{"is_valid":true,"app_id":"x"}}`, `{"data":{"is_valid":true,"app_id":"1","expires_at":-1}}`,
		`{"data":{"is_valid":true,"app_id":"1","expires_at":1893456000000}}`, `{"data":{"is_valid":true,"app_id":"1","expires_at":"never"}}`,
		`{"data":{"is_valid":false,"error":{"code":2,"message":"Service temporarily unavailable"}}}`,
		`{"data":{"is_valid":false,"error":{"code":190,"is_transient":true}}}`,
		`{"data":{"is_valid":false,"error":{"code":4,"message":"limit"}}}`,
	} {
		m := setup(t, says(200, body))
		if _, err := m.DebugToken(t.Context(), token()); !graph.IsSilence(err) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestARefusedAppTokenIsNoWordOnTheCustomersToken(t *testing.T) {
	t.Parallel()
	m := setup(t, says(400, `{"error":{"code":190,"message":"Invalid OAuth access token signature.","type":"OAuthException"}}`))
	_, err := m.DebugToken(t.Context(), token())
	var said *graph.Error
	if !errors.As(err, &said) || said.TokenDead() || !said.AppRejected() {
		t.Errorf("got %v", err)
	}
}

func TestAWABAIsReadWithItsOwner(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"id":"`+waba+`","name":"Caf\u00e9 \u0000\u001b[31m","owner_business_info":{"id":2729063490000001}}`))
	got, err := m.WABA(t.Context(), waba, m.Credential(token()))
	if err != nil {
		t.Fatal(err)
	}
	want := graph.WABA{ID: waba, Name: "Café [31m", OwnerBusinessID: "2729063490000001"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	last := m.last()
	if last.header.Get("Authorization") != "Bearer "+tokenText || last.query.Get("appsecret_proof") != m.Proof(token()) {
		t.Errorf("asked with %v and %v", last.header, last.query)
	}
	if strings.Contains(last.query.Encode(), tokenText) {
		t.Error("the token is in the URL")
	}
}

func TestAnAnswerAboutAnotherObjectIsNoVerdict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"id":"1","name":"x"}`, `{"name":"x"}`, `{"id":"me"}`, `{"id":1.5}`, `{"id":true}`} {
		m := setup(t, says(200, body))
		_, err := m.WABA(t.Context(), waba, m.Credential(token()))
		_, err2 := m.PhoneNumber(t.Context(), phone, m.Credential(token()))
		if !errors.Is(err, graph.ErrNoVerdict) || !errors.Is(err2, graph.ErrNoVerdict) {
			t.Errorf("%s: %v, %v", body, err, err2)
		}
	}
}

func TestTheProofIsTheHMACOfTheToken(t *testing.T) {
	t.Parallel()
	// RFC 4231, test case 2: key "Jefe".
	c := graph.NewClient(graph.Config{AppSecret: secretOf("Jefe")})
	const want = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := c.Proof(secretOf("what do ya want for nothing?")); got != want {
		t.Errorf("proof = %s", got)
	}
}
