package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whatrack/connect/services/internal/graph"
)

func TestMetasWordIsKeptWhole(t *testing.T) {
	t.Parallel()
	m := setup(t, says(400, `{"error":{"message":"(#130429) Rate limit hit\u202e\u001b[31m\nnow","type":"OAuthException","code":130429,
		"error_subcode":2494055,"error_data":{"messaging_product":"whatsapp","details":"Throughput reached."},"is_transient":true,
		"error_user_title":"Slow","error_user_msg":"Wait a little.","fbtrace_id":"Az8or2"}}`))
	_, err := m.WABA(t.Context(), waba, m.Credential(token()))
	want := &graph.Error{
		Status: 400, Code: 130429, Subcode: 2494055, Type: "OAuthException", Message: "(#130429) Rate limit hit [31m now",
		Details: "Throughput reached.", TraceID: "Az8or2", Transient: true,
	}
	var got *graph.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(graph.Error{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const text = "read WABA: graph: error 130429/2494055: (#130429) Rate limit hit [31m now (Throughput reached.) [HTTP 400, fbtrace_id Az8or2]"
	if err.Error() != text {
		t.Errorf("text: %s", err)
	}
}

func TestAnErrorIsReadInEveryFormThatMetaUses(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]graph.Error{
		`{"error":{"code":190}}`:                                            {Code: 190},
		` {"error":{"code":"190","error_subcode":"463"}}`:                   {Code: 190, Subcode: 463},
		`{"error":{"code":100,"error_subcode":null,"message":null}}`:        {Code: 100},
		`{"error":{"code":100,"error_subcode":{},"message":7}}`:             {Code: 100},
		`{"error":{"code":0,"is_transient":"true"}}`:                        {Transient: true},
		`{"error":{"code":1,"error_data":"words"}}`:                         {Code: 1, Details: "words"},
		`{"error":{"code":1,"error_data":"{\"details\":\"inner\"}"}}`:       {Code: 1, Details: "inner"},
		`{"error":{"code":1,"error_data":{"blame_field_specs":[["x"]]}}}`:   {Code: 1},
		`{"error":{"code":1,"error_data":[1],"is_transient":"perhaps"}}`:    {Code: 1},
		`{"id":"1","success":true,"error":{"code":10,"message":"not you"}}`: {Code: 10, Message: "not you"},
	} {
		for _, status := range []int{200, 400, 503} { // 200 with an error inside is that error
			m := setup(t, says(status, body))
			var got *graph.Error
			if err := m.Subscribe(t.Context(), waba, m.Credential(token())); !errors.As(err, &got) {
				t.Errorf("%s: %v", body, err)
				continue
			}
			want.Status = status
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(graph.Error{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", body, diff)
			}
		}
	}
}

func TestALongMessageIsCut(t *testing.T) {
	t.Parallel()
	m := setup(t, says(400, `{"error":{"code":100,"message":"`+strings.Repeat("é", 5000)+`"}}`))
	var said *graph.Error
	if err := m.Subscribe(t.Context(), waba, m.Credential(token())); !errors.As(err, &said) || said.Message != strings.Repeat("é", 299)+"…" {
		t.Errorf("got %d bytes: %v", len(said.Message), err)
	}
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    graph.Error
		want string
	}{
		{graph.Error{Status: 400, Code: 190, Subcode: 463}, "dead"},
		{graph.Error{Status: 401, Code: 190}, "dead"},
		{graph.Error{Status: 400, Code: 102}, "dead"},
		{graph.Error{Status: 401, Code: 0}, "dead"},
		{graph.Error{Status: 400, Code: 0}, ""},
		{graph.Error{Status: 503, Code: 190}, "temporary"}, // silence is no verdict
		{graph.Error{Status: 400, Code: 190, Transient: true}, "temporary"},
		{graph.Error{Status: 400, Code: 1}, "temporary"},
		{graph.Error{Status: 400, Code: 1, Message: "Error validating client secret."}, "app sender"},
		{graph.Error{Status: 500, Code: 1, Message: "Error validating client secret."}, "temporary"},
		{graph.Error{Status: 400, Code: 101}, "app sender"},
		{graph.Error{Status: 400, Code: 2}, "temporary"},
		{graph.Error{Status: 400, Code: 131000}, "temporary"},
		{graph.Error{Status: 400, Code: 131016}, "temporary"},
		{graph.Error{Status: 400, Code: 131057}, "sender temporary"},
		{graph.Error{Status: 400, Code: 133004}, "sender temporary"},
		{graph.Error{Status: 400, Code: 2494100}, "sender temporary"},
		{graph.Error{Status: 500, Code: 100, Subcode: 33}, "temporary"},
		{graph.Error{Status: 400, Code: 4}, "limited temporary"},
		{graph.Error{Status: 400, Code: 17}, "limited temporary"},
		{graph.Error{Status: 400, Code: 32}, "limited temporary"},
		{graph.Error{Status: 403, Code: 341}, "limited temporary"},
		{graph.Error{Status: 400, Code: 613, Subcode: 1996}, "limited temporary"},
		{graph.Error{Status: 400, Code: 80007}, "limited temporary"},
		{graph.Error{Status: 400, Code: 80008}, "limited temporary"},
		{graph.Error{Status: 400, Code: 80014}, "limited temporary"},
		{graph.Error{Status: 400, Code: 80015}, ""},
		{graph.Error{Status: 400, Code: 130429}, "limited temporary"},
		{graph.Error{Status: 429, Code: 100}, "limited temporary"},
		{graph.Error{Status: 400, Code: 133016}, "sender"}, // one number's lock of three days
		{graph.Error{Status: 400, Code: 133005}, "sender"},
		{graph.Error{Status: 500, Code: 3}, "permission"},
		{graph.Error{Status: 403, Code: 10}, "permission"},
		{graph.Error{Status: 400, Code: 200}, "permission"},
		{graph.Error{Status: 403, Code: 299}, "permission"},
		{graph.Error{Status: 403, Code: 131005}, "permission"},
		{graph.Error{Status: 400, Code: 133010}, "sender"},
		{graph.Error{Status: 503, Code: 133010}, "temporary"},
		{graph.Error{Status: 403, Code: 131031}, "sender"},
		{graph.Error{Status: 400, Code: 131042}, "sender"},
		{graph.Error{Status: 400, Code: 131047}, ""},
		{graph.Error{Status: 400, Code: 132000}, ""},
		{graph.Error{Status: 400, Code: 300}, ""},
		{graph.Error{Status: 400, Code: 368}, "sender"},
		{graph.Error{Status: 400, Code: 100, Subcode: 33}, "missing sender"},
		{graph.Error{Status: 400, Code: 100, Message: "Unsupported get request. Object with ID '1' does not exist, cannot be loaded due to missing permissions"}, "missing sender"},
		{graph.Error{Status: 400, Code: 100, Message: "(#100) Tried accessing nonexisting field (phone_numbers) on node type (Business)"}, "missing sender"},
		{graph.Error{Status: 400, Code: 100, Message: "(#100) Tried accessing nonexisting field (status) on node type (Business)"}, "missing sender"},
		{graph.Error{Status: 400, Code: 100, Message: "(#100) Tried accessing nonexisting field (subscribed_apps) on node type (WhatsAppBusinessPhoneNumber)"}, "missing sender"},
		// The version lacks a field; the number may well be there.
		{graph.Error{Status: 400, Code: 100, Message: "(#100) Tried accessing nonexisting field (name_status) on node type (WhatsAppBusinessPhoneNumber)"}, ""},
		{graph.Error{Status: 404, Code: 803}, "missing sender"},
		{graph.Error{Status: 400, Code: 33}, "missing sender"},
		{graph.Error{Status: 400, Code: 100}, ""},
		{graph.Error{Status: 400, Code: 2500}, ""},
	} {
		e := &c.e
		var is []string
		for _, class := range []struct {
			name string
			in   bool
		}{
			{"dead", e.TokenDead()},
			{"app", e.AppRejected()},
			{"limited", e.RateLimited()},
			{"permission", e.PermissionMissing()},
			{"missing", e.ObjectMissing()},
			{"sender", e.SenderRefused()},
			{"temporary", e.Temporary()},
		} {
			if class.in {
				is = append(is, class.name)
			}
		}
		if got := strings.Join(is, " "); got != c.want {
			t.Errorf("%v: is %q, want %q", e, got, c.want)
		}
		if graph.IsSilence(fmt.Errorf("x: %w", e)) != e.Temporary() {
			t.Errorf("%v: IsSilence and Temporary differ", e)
		}
	}
}

func TestEveryEndOfAnExchangeHasItsVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   graph.Verdict
	}{
		{400, `"code":100,"error_subcode":36007,"message":"This authorization code has expired."`, graph.CodeExpired},
		{400, `"code":100,"message":"This authorization code has expired."`, graph.CodeExpired},
		{400, `"code":100,"error_subcode":36009,"message":"x"`, graph.CodeUsed},
		{400, `"code":100,"message":"This authorization code has been used."`, graph.CodeUsed},
		{400, `"code":100,"error_subcode":36008,"message":"x"`, graph.RedirectMismatch},
		{400, `"code":100,"message":"Error validating verification code. Please make sure your redirect_uri is identical"`, graph.RedirectMismatch},
		{400, `"code":100,"message":"Invalid verification code format."`, graph.CodeInvalid},
		{400, `"code":100,"message":"Invalid parameter","is_transient":true`, graph.OutcomeUnknown},
		{400, `"code":1,"message":"Error validating client secret."`, graph.AppRejected},
		{400, `"code":100,"message":"Error validating client secret."`, graph.AppRejected},
		{400, `"code":101,"message":"Missing client_id parameter."`, graph.AppRejected},
		{400, `"code":4,"message":"Application request limit reached","is_transient":true`, graph.RateLimited},
		{429, `"code":613,"message":"limit"`, graph.RateLimited},
		{400, `"code":191,"message":"Given URL is not allowed"`, graph.Rejected},
		{403, `"code":200,"message":"no"`, graph.Rejected},
		{200, `"code":190,"message":"no"`, graph.Rejected},
		{400, `"code":1,"message":"An unknown error occurred"`, graph.OutcomeUnknown},
		{400, `"code":2,"message":"Service temporarily unavailable"`, graph.OutcomeUnknown},
		{400, `"code":190,"is_transient":true`, graph.OutcomeUnknown},
		{500, `"code":100,"error_subcode":36009,"message":"This authorization code has been used."`, graph.OutcomeUnknown},
		{500, `"code":4`, graph.OutcomeUnknown},
		{400, `"message":"no code at all"`, graph.OutcomeUnknown},
	} {
		m := setup(t, says(c.status, `{"error":{`+c.body+`}}`))
		_, err := m.ExchangeCode(t.Context(), code(), "")
		if got := graph.VerdictOf(err); got != c.want {
			t.Errorf("%d %s: verdict %d, want %d (%v)", c.status, c.body, got, c.want, err)
		}
		if m.count() != 1 {
			t.Errorf("%s: arrived %d times", c.body, m.count())
		}
	}
	if graph.VerdictOf(context.Canceled) != graph.OutcomeUnknown || graph.VerdictOf(graph.ErrInvalidInput) != graph.CodeInvalid {
		t.Error("an error of ours has the wrong verdict")
	}
}

func TestMetaSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	const usage = `{"1":[{"type":"x","estimated_time_to_regain_access":3}],"2":[{"estimated_time_to_regain_access":"5"},{}]}`
	for _, c := range []struct {
		code   int
		header http.Header
		want   time.Duration
	}{
		{4, http.Header{"Retry-After": {"120"}}, 2 * time.Minute},
		{2, http.Header{"Retry-After": {"7"}}, 7 * time.Second},
		{4, http.Header{"Retry-After": {"Tue, 24 Nov 2026 10:01:00 GMT"}, "Date": {"Tue, 24 Nov 2026 10:00:00 GMT"}}, time.Minute},
		{4, http.Header{"Retry-After": {"Tue, 24 Nov 2026 09:00:00 GMT"}, "Date": {"Tue, 24 Nov 2026 10:00:00 GMT"}}, 0},
		{4, http.Header{"Retry-After": {"4294967295"}}, 24 * time.Hour},
		{4, http.Header{"Retry-After": {"-5"}}, 0},
		{80008, http.Header{"X-Business-Use-Case-Usage": {usage}}, 5 * time.Minute},
		{80008, http.Header{"X-Business-Use-Case-Usage": {usage}, "Retry-After": {"1"}}, time.Second},
		{190, http.Header{"X-Business-Use-Case-Usage": {usage}}, 0},
		{4, http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"estimated_time_to_regain_access":9223372036854775807}]}`}}, 24 * time.Hour},
		{4, http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"estimated_time_to_regain_access":-9}]}`}}, 0},
		{4, http.Header{"X-Business-Use-Case-Usage": {`{"1":7}`}}, 0},
		{4, http.Header{"X-Business-Use-Case-Usage": {`<html>`}}, 0},
	} {
		m := setup(t, answer{400, fmt.Sprintf(`{"error":{"code":%d}}`, c.code), c.header})
		var said *graph.Error
		if err := m.Subscribe(t.Context(), waba, m.Credential(token())); !errors.As(err, &said) || said.RetryAfter != c.want {
			t.Errorf("%v: %v, %v", c.header, said.RetryAfter, err)
		}
	}
}
