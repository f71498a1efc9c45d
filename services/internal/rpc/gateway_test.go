package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
)

const claimPath = "/api/v1/whatsapp/claim-waba"

func TestAnAnswerIsTheBareResourceWithEveryListThere(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{OnboardingId: "o-1", State: onboardingv1.Onboarding_CONNECTED}
	a := f.do(t, "POST", claimPath, `{"code":"AQ"}`)
	want := map[string]any{
		"onboardingId": "o-1", "organizationId": "", "state": "CONNECTED", "reason": "", "message": "", "nextAction": "",
		"steps": []any{}, "choices": []any{}, "metadata": map[string]any{},
	}
	if diff := cmp.Diff(want, a.body); diff != "" || a.code != 200 {
		t.Errorf("%d %s", a.code, diff)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f.answer.State = onboardingv1.Onboarding_CLAIMING
	if a := f.do(t, "POST", claimPath, `{"code":"AQ"}`); a.code != http.StatusAccepted || a.body["state"] != "CLAIMING" {
		t.Errorf("an onboarding that goes on: %d %s", a.code, a.raw)
	}
	if a := f.do(t, "GET", "/api/v1/whatsapp/onboardings?states=FAILED&pageSize=20", ""); a.code != 200 || a.body["onboardings"] == nil {
		t.Errorf("a list: %d %s", a.code, a.raw)
	}
}

func TestALargeAnswerPasses(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{Message: strings.Repeat("水", 2<<20)}
	if a := f.do(t, "POST", claimPath, `{"code":"AQ"}`); a.code != 200 || a.body["message"] != f.answer.GetMessage() {
		t.Errorf("%d, %d bytes", a.code, len(a.raw))
	}
}

func TestAnErrorIsTheSameOverRESTAsOverGRPC(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.err = fault.New(errorsv1.ErrorReason_META_RATE_LIMITED).With("onboardingId", "o-1").RetryAfter(1500 * time.Millisecond).
		Cause(errors.New("graph-7"))
	a := f.do(t, "POST", claimPath, `{"code":"AQ"}`, "Accept-Language", "pt-BR", "X-Request-Id", "req-1")
	const english = "Meta limits our calls for now. Wait as long as told and try again; a signup has to be opened again."
	want := map[string]any{
		"code": 8.0, "message": english, "details": []any{
			map[string]any{
				"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "META_RATE_LIMITED", "domain": "connect.whatrack",
				"metadata": map[string]any{"onboardingId": "o-1"},
			},
			map[string]any{
				"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "pt-BR",
				"message": "A Meta está limitando nossas chamadas por enquanto. Espere o tempo indicado e tente de novo; um cadastro precisa ser aberto de novo.",
			},
			map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"},
			map[string]any{"@type": "type.googleapis.com/google.rpc.Help", "links": []any{map[string]any{
				"description": "what to do about META_RATE_LIMITED",
				"url":         "https://github.com/whatrack/connect/blob/main/docs/errors.md#META_RATE_LIMITED",
			}}},
		},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if a.code != 429 || a.header.Get("Retry-After") != "2" || a.header.Get("X-Request-Id") != "req-1" {
		t.Errorf("%d, Retry-After %q, X-Request-Id %q", a.code, a.header.Get("Retry-After"), a.header.Get("X-Request-Id"))
	}
	if a.header.Get("Vary") != "Accept-Language" {
		t.Errorf("Vary %q", a.header.Get("Vary"))
	}
	for name := range a.header {
		if strings.HasPrefix(name, "Grpc-") {
			t.Errorf("the answer carries %s", name)
		}
	}
}

func TestEveryReasonHasTheHTTPStatusOfTheContract(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	want := map[int]string{
		400: "CODE_EXPIRED CODE_ALREADY_USED STATE_MISMATCH TOKEN_INVALID META_REJECTED INVALID_FIELD ORGANIZATION_REQUIRED",
		401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND TOKEN_NOT_FOUND", 429: "META_RATE_LIMITED",
		503: "META_UNAVAILABLE STORAGE_UNAVAILABLE BROKER_UNAVAILABLE TOKEN_UNVERIFIED", 500: "DATA_INTEGRITY INTERNAL",
		504: "DEADLINE_EXCEEDED", 499: "CANCELLED",
	}
	for code, names := range want {
		for name := range strings.FieldsSeq(names) {
			f.err = fault.New(errorsv1.ErrorReason(errorsv1.ErrorReason_value[name]))
			if a := f.do(t, "POST", claimPath, `{"code":"AQ"}`); a.code != code || a.reason() != name {
				t.Errorf("%s: %d %s, want %d", name, a.code, a.raw, code)
			}
		}
	}
}

func TestWhatIsWrongWithARequestIsNamed(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{}
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	const (
		onboardings        = "/api/v1/whatsapp/onboardings"
		wait               = onboardings + "/0193aaaa-0000-7000-8000-000000000000:wait"
		organizationHeader = "X-Organization-Id"
	)
	tests := []struct {
		name, method, path, body string
		headers                  []string
		code                     int
		field                    string
	}{
		{"an unknown field", "POST", claimPath, `{"code":"` + canary + `","wabaid":"1"}`, nil, 400, "wabaid"},
		{"an output-only field", "POST", claimPath, `{"status":"CONNECTED"}`, nil, 400, "status"},
		{"an organization in the body", "POST", claimPath, `{"organizationId":"org-2","code":"x"}`, nil, 400, "organizationId"},
		{"a wrong type", "POST", claimPath, `{"code":` + "123456" + `}`, nil, 400, "code"},
		{"an object for a string", "POST", claimPath, `{"code":{"a":"` + canary + `"}}`, nil, 400, "code"},
		{"a field twice", "POST", claimPath, `{"code":"a","code":"b"}`, nil, 400, "code"},
		{"a field by both its names", "POST", claimPath, `{"wabaId":"1","waba_id":"2"}`, nil, 400, "wabaId"},
		{"half a surrogate", "POST", claimPath, `{"code":"\ud800"}`, nil, 400, "code"},
		{"a list", "POST", claimPath, `[]`, nil, 400, "body"},
		{"null", "POST", claimPath, `null`, nil, 400, "body"},
		{"no JSON", "POST", claimPath, `code=` + canary, nil, 400, "body"},
		{"trailing bytes", "POST", claimPath, `{"code":"a"} {"code":"b"}`, nil, 400, "body"},
		{"trailing garbage", "POST", claimPath, `{"code":"a"}` + canary, nil, 400, "body"},
		{"a byte order mark", "POST", claimPath, "\uFEFF" + `{"code":"a"}`, nil, 400, "body"},
		{"bad UTF-8", "POST", claimPath, "{\"code\":\"\xff\"}", nil, 400, "body"},
		{"depth", "POST", claimPath, `{"code":` + deep + `}`, nil, 400, "body"},
		{"depth in an unknown field", "POST", claimPath, `{"x":` + deep[15000:25000] + `}`, nil, 400, "x"},
		{"a rule", "POST", claimPath, `{"wabaId":"12ab"}`, nil, 400, "wabaId"},
		{"a code in the URL", "POST", claimPath + "?code=" + canary, `{}`, nil, 400, "code"},
		{"an unknown query", "GET", "/api/v1/whatsapp/onboardings?state=FAILED", "", nil, 400, "state"},
		{"a query that is no number", "GET", "/api/v1/whatsapp/onboardings?pageSize=" + canary, "", nil, 400, "pageSize"},
		{"a query that is no state", "GET", "/api/v1/whatsapp/onboardings?states=BROKEN", "", nil, 400, "states"},
		{"a query that is no duration", "GET", wait + "?timeout=soon", "", nil, 400, "timeout"},
		{"a query past its bound", "GET", wait + "?timeout=26s", "", nil, 400, "timeout"},
		{"a query twice", "GET", "/api/v1/whatsapp/onboardings?pageSize=1&pageSize=2", "", nil, 400, "pageSize"},
		{"an organization that is not ASCII", "GET", onboardings, "", []string{organizationHeader, "loja-são-paulo"}, 400, organizationHeader},
		{"an organization with a tab", "GET", onboardings, "", []string{organizationHeader, "org\t1"}, 400, organizationHeader},
		{"an empty organization", "GET", onboardings, "", []string{organizationHeader, " "}, 400, organizationHeader},
		{"a path that is not UTF-8", "GET", onboardings + "/%ff", "", nil, 400, "path"},
		{"a query that is not UTF-8", "GET", onboardings + "?pageToken=%ff", "", nil, 400, "query"},
		{"a query whose name is not UTF-8", "GET", onboardings + "?%ff=1", "", nil, 400, "query"},
		{"a path that is no id", "GET", "/api/v1/whatsapp/onboardings/1%20or%201=1", "", nil, 400, "onboardingId"},
	}
	for _, tt := range tests {
		f.claimed = nil
		a := f.do(t, tt.method, tt.path, tt.body, tt.headers...)
		if fields := a.fields(); a.code != tt.code || a.reason() != "INVALID_FIELD" || len(fields) != 1 || fields[0] != tt.field {
			t.Errorf("%s: %d %s, want %d and the field %q", tt.name, a.code, a.raw, tt.code, tt.field)
		}
		if f.claimed != nil {
			t.Errorf("%s: it reached the handler", tt.name)
		}
		if strings.Contains(a.raw, canary) || strings.Contains(a.raw, "proto:") || strings.Contains(a.raw, "strconv") || strings.Contains(a.raw, "invalid character") {
			t.Errorf("%s: the answer quotes: %s", tt.name, a.raw)
		}
	}
	for query, rule := range map[string]string{"pageSize=1&pageSize=2": "REPEATED", "pageSize=x": "WRONG_TYPE", "states=CONNECTED&states=BROKEN": "WRONG_TYPE"} {
		if a := f.do(t, "GET", "/api/v1/whatsapp/onboardings?"+query, ""); !strings.Contains(a.raw, `"`+rule+`"`) {
			t.Errorf("%s: %s, want %s", query, a.raw, rule)
		}
	}
	wrongState := f.do(t, "GET", "/api/v1/whatsapp/onboardings?states=BROKEN", "")
	if !strings.Contains(wrongState.raw, "must be one of STARTED, ") {
		t.Errorf("states that there are: %s", wrongState.raw)
	}
	if strings.Contains(f.log.String(), canary) {
		t.Errorf("a request was logged: %s", f.log.String())
	}
}

// TestABodyThatIsNoPlainJSONIsNotLookedInto: a browser sends any other type across origins without asking.
func TestABodyThatIsNoPlainJSONIsNotLookedInto(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	const unsupported, large = "UNSUPPORTED_MEDIA_TYPE", "BODY_TOO_LARGE"
	for name, tt := range map[string]struct {
		body, header, value string
		code                int
		reason              string
	}{
		"plain text":      {`{"code":"a"}`, "Content-Type", "text/plain", 415, unsupported},
		"a form":          {`code=a`, "Content-Type", "application/x-www-form-urlencoded", 415, unsupported},
		"another charset": {`{"code":"a"}`, "Content-Type", "application/json; charset=utf-16", 415, unsupported},
		"no type":         {`{"code":"a"}`, "Content-Type", "", 415, unsupported},
		"gzip":            {`{"code":"a"}`, "Content-Encoding", "gzip", 415, unsupported},
		"too large":       {`{"code":"` + strings.Repeat("a", 300<<10) + `"}`, "Content-Type", "application/json", 413, large},
	} {
		a := f.do(t, "POST", claimPath, tt.body, tt.header, tt.value)
		if a.code != tt.code || a.reason() != tt.reason || f.claimed != nil {
			t.Errorf("%s: %d %s, want %d %s", name, a.code, a.raw, tt.code, tt.reason)
		}
	}
}

func TestABodyMayBeLeftOut(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{}
	for _, body := range []string{"", " ", "{}", ` {"wabaId":null} `} {
		if a := f.do(t, "POST", claimPath, body); a.code != 200 {
			t.Errorf("%q: %d %s", body, a.code, a.raw)
		}
	}
	if a := f.do(t, "POST", claimPath, `{"waba_id":"1"}`, "Content-Type", "Application/JSON; charset=UTF-8"); a.code != 200 {
		t.Errorf("a name of the proto file: %d %s", a.code, a.raw)
	}
}

func TestPathsAndMethodsThatDoNotExistSayTheSameAsAllErrors(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	tests := []struct {
		method, path string
		code         int
		allow        string
	}{
		{"GET", "/api/v1/whatsapp/nothing", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "/api/v1/whatsapp//onboardings", 404, ""},
		{"GET", claimPath, 405, "POST"},
		{"POST", "/api/v1/whatsapp/connections", 405, "GET"},
		{"DELETE", "/api/v1/whatsapp/connections", 405, "GET, POST"},
		{"POST", "/api/v1/whatsapp/onboardings/x:dance", 405, "GET"}, // to GET it is an id
		{"POST", "/api/v1/whatsapp/x:dance", 404, ""},
	}
	for _, tt := range tests {
		a := f.do(t, tt.method, tt.path, "")
		if a.code != tt.code || a.reason() != "UNIMPLEMENTED" || a.header.Get("Allow") != tt.allow || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: %d %s, Allow %q", tt.method, tt.path, a.code, a.raw, a.header.Get("Allow"))
		}
	}
}

func TestAMethodCanNotBeOverridden(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	if a := f.do(t, "POST", "/api/v1/whatsapp/connections", "", "X-Http-Method-Override", "GET"); a.code != 405 {
		t.Errorf("the header: %d %s", a.code, a.raw)
	}
	if a := f.do(t, "POST", "/api/v1/whatsapp/connections", "x=y", "Content-Type", "application/x-www-form-urlencoded"); a.code != 415 {
		t.Errorf("a form: %d %s", a.code, a.raw)
	}
}

func TestTheOutsideCanNotSpeakAsTheGateway(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{}
	a := f.do(t, "POST", claimPath, `{"code":"AQ"}`,
		"Grpc-Timeout", "1n", "Grpc-Metadata-Authorization", "Bearer root", "Grpc-Metadata-X-Organization-Id", "org-9",
		"Grpcgateway-Host", "x", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil.example", "Cookie", "a=b", "User-Agent", "me",
		"TE", "trailers", "X-Request-Id", "not valid", "X-Organization-Id", "org-2")
	if a.code != 200 {
		t.Fatalf("%d %s", a.code, a.raw)
	}
	if left := time.Until(f.deadline); left < 5*time.Second {
		t.Errorf("the caller set the deadline: %v left", left)
	}
	got := map[string][]string{}
	for key, values := range f.metadata {
		switch key {
		case ":authority", "content-type", "user-agent", "grpc-accept-encoding":
		default:
			got[key] = values
		}
	}
	want := map[string][]string{
		"authorization": {"Bearer web"}, "x-organization-id": {"org-2"}, "x-request-id": {a.header.Get("X-Request-Id")},
		"grpcgateway-user-agent": {"me"}, "x-forwarded-for": {"127.0.0.1"}, "x-forwarded-host": {strings.TrimPrefix(f.server.URL, "http://")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(f.metadata.Get("user-agent")[0], "me ") {
		t.Errorf("user-agent %v", f.metadata.Get("user-agent"))
	}
}

func TestTwoOfAHeaderAreNone(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	req, err := http.NewRequestWithContext(t.Context(), "POST", f.server.URL+claimPath, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = []string{"Bearer web", "Bearer viewer"}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%d, WWW-Authenticate %q", resp.StatusCode, resp.Header.Get("WWW-Authenticate"))
	}
}

func TestAViewerIsRefusedOverRESTToo(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	if a := f.do(t, "POST", claimPath, `{"code":"x"}`, "Authorization", "Bearer viewer"); a.code != 403 || a.reason() != "PERMISSION_DENIED" {
		t.Errorf("%d %s", a.code, a.raw)
	}
	if a := f.do(t, "GET", "/api/v1/whatsapp/onboardings", "", "Authorization", "Bearer viewer", "X-Organization-Id", "org-2"); a.code != 403 {
		t.Errorf("a foreign organization: %d %s", a.code, a.raw)
	}
	a := f.do(t, "GET", "/api/v1/whatsapp/onboardings", "", "Authorization", "Bearer "+canary)
	if a.code != 401 || !strings.Contains(f.log.String(), `"peer":"127.0.0.1"`) {
		t.Errorf("%d, and where the stranger came from: %s", a.code, f.log.String())
	}
}

func TestPanicsAndInternalsStayInside(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.claim = func(context.Context, *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error) {
		panic("postgres://db-7/" + canary)
	}
	a := f.do(t, "POST", claimPath, `{"code":"x"}`, "X-Request-Id", "req-9")
	if a.code != 500 || a.reason() != "INTERNAL" || strings.Contains(a.raw, "db-7") || strings.Contains(a.raw, "goroutine") || !strings.Contains(a.raw, "req-9") {
		t.Errorf("%d %s", a.code, a.raw)
	}
	f.err = errors.New("select * from tokens at db-7")
	a = f.do(t, "GET", "/api/v1/whatsapp/onboardings/0193aaaa-0000-7000-8000-000000000000:wait", "")
	if a.code != 500 || a.reason() != "INTERNAL" || strings.Contains(a.raw, "db-7") {
		t.Errorf("%d %s", a.code, a.raw)
	}
}

func TestOfTwoFieldsThatExcludeEachOtherTheSecondIsNamed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"to":"5511987654321","recipient":"BR.1"}`:     "recipient",
		`{"recipient":"BR.1","to":"5511987654321"}`:     "to",
		`{"to":null,"recipient":"BR.1"}`:                "",
		`{"to":"1","text":{"body":"oi"},"template":{}}`: "template",
	} {
		got := rpc.Decode([]byte(body), &onboardingv1.SendMessageRequest{})
		if (got == nil) != (want == "") || got != nil && got.Violations()[0].Field != want {
			t.Errorf("%s: %v, want %q", body, got, want)
		}
	}
}

func FuzzABodyIsTakenOrNamed(f *testing.F) {
	for _, seed := range []string{
		`{"code":"AQ","wabaId":"1"}`, `{"code":1}`, `{"x":[{}]}`, `{"code":"a","code":"b"}`, `[`, `null`, `{"state":"\u0000"}`, "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		msg := &onboardingv1.ClaimWabaRequest{}
		decoded := rpc.Decode([]byte(body), msg)
		if decoded == nil {
			return
		}
		if decoded.Reason() != errorsv1.ErrorReason_INVALID_FIELD || strings.Contains(decoded.Error(), "proto:") {
			t.Errorf("%q: %v", body, decoded)
		}
	})
}
