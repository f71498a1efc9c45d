package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// same is what must survive the way to another service and back.
type same struct {
	Reason     string
	Code       codes.Code
	Metadata   map[string]string
	Violations []Violation
	Delay      time.Duration
}

func kept(e *Error) same {
	return same{e.Reason().String(), e.Code(), e.Metadata(), e.violations, e.Wait()}
}

func TestAFaultSurvivesTheWire(t *testing.T) {
	t.Parallel()
	tests := map[string]*Error{
		"every part": New(errorsv1.ErrorReason_META_RATE_LIMITED).With("metaCode", "80007").With("fbtraceId", "A%s").RetryAfter(90 * time.Second),
		"fields":     Fields([]Violation{{Field: "wabaId", Description: "must be digits"}, {Field: "text.body", Reason: "NOT_JSON", Description: "is no JSON", Portuguese: "não é JSON"}}),
	}
	for _, reason := range reasons() {
		tests[reason.String()] = New(reason)
	}
	for name, sent := range tests {
		for _, language := range []Language{English, Portuguese} {
			wire := status.FromProto(sent.Cause(errors.New("a secret of ours")).Status(language).Proto()).Err()
			received, ok := As(FromStatus(wire))
			if !ok {
				t.Errorf("%s is no fault any more", name)
				continue
			}
			if diff := cmp.Diff(kept(sent), kept(received)); diff != "" {
				t.Errorf("%s:\n%s", name, diff)
			}
			if strings.Contains(fmt.Sprint(wire, status.Convert(wire).Proto()), "a secret of ours") {
				t.Errorf("%s: the cause went along", name)
			}
		}
	}
}

func TestAStatusSaysWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	st := New(errorsv1.ErrorReason_CODE_EXPIRED).With("onboardingId", "1").RetryAfter(1500 * time.Millisecond).Status(Portuguese)
	if want := "The authorization code is older than 30 seconds. Open the signup again and send its code at once."; st.Message() != want {
		t.Errorf("the message is %q, want %q", st.Message(), want)
	}
	got := map[string]string{}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			got["info"] = d.GetDomain() + " " + d.GetReason() + " " + d.GetMetadata()["onboardingId"]
		case *errdetails.LocalizedMessage:
			got["localized"] = d.GetLocale() + ": " + d.GetMessage()
		case *errdetails.RetryInfo:
			got["retry"] = d.GetRetryDelay().AsDuration().String()
		case *errdetails.Help:
			got["help"] = d.GetLinks()[0].GetUrl()
		default:
			t.Errorf("a detail that nobody expects: %T", d)
		}
	}
	want := map[string]string{
		"info":      "connect.whatrack CODE_EXPIRED 1",
		"localized": "pt-BR: O código de autorização passou dos 30 segundos. Abra o cadastro de novo e envie o código na hora.",
		"retry":     "1.5s",
		"help":      "https://github.com/whatrack/connect/blob/main/docs/errors.md#CODE_EXPIRED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWrongFieldIsNamedInTheSentenceAndInBadRequest(t *testing.T) {
	t.Parallel()
	st := Field("wabaId", "must be digits").Status(English)
	if !strings.HasPrefix(st.Message(), "A field of the request is not valid (wabaId: must be digits). ") {
		t.Errorf("the message is %q", st.Message())
	}
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			if v := bad.GetFieldViolations(); len(v) != 1 || v[0].GetField() != "wabaId" || v[0].GetDescription() != "must be digits" {
				t.Errorf("BadRequest has %v", v)
			}
			return
		}
	}
	t.Error("there is no BadRequest")
}

func TestWhatAddsToAFaultLeavesTheFirstAlone(t *testing.T) {
	t.Parallel()
	first := New(errorsv1.ErrorReason_META_REJECTED).With("metaCode", "100")
	second := first.With("metaCode", "200").With("fbtraceId", "A").RetryAfter(time.Second).Cause(errors.New("x"))
	if diff := cmp.Diff(map[string]string{"metaCode": "100"}, first.Metadata()); diff != "" || first.Delay() != 0 || first.Unwrap() != nil {
		t.Errorf("the first was changed: %v, %s", first, diff)
	}
	if diff := cmp.Diff(map[string]string{"metaCode": "200", "fbtraceId": "A"}, second.Metadata()); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsAreComparedByReason(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection reset")
	err := fmt.Errorf("read the token: %w", New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE).Cause(cause))
	if !errors.Is(err, New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) || !errors.Is(err, cause) {
		t.Errorf("%v is not what it is", err)
	}
	if errors.Is(err, New(errorsv1.ErrorReason_BROKER_UNAVAILABLE)) {
		t.Errorf("%v is another", err)
	}
	if want := "read the token: STORAGE_UNAVAILABLE: connection reset"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// TestOnlyOurOwnWordIsBelieved: what a proxy, the transport or a foreign service says stays a plain error.
func TestOnlyOurOwnWordIsBelieved(t *testing.T) {
	t.Parallel()
	detailed := func(code codes.Code, details ...protoadapt.MessageV1) error {
		st, err := status.New(code, "x").WithDetails(details...)
		if err != nil {
			t.Fatal(err)
		}
		return st.Err()
	}
	tests := map[string]error{
		"nothing":          nil,
		"a plain error":    errors.New("x"),
		"a bare status":    status.Error(codes.Unavailable, "x"),
		"another domain":   detailed(codes.NotFound, &errdetails.ErrorInfo{Domain: "googleapis.com", Reason: "NOT_FOUND"}),
		"an unknown name":  detailed(codes.NotFound, &errdetails.ErrorInfo{Domain: Domain, Reason: "FROM_THE_FUTURE"}),
		"no reason at all": detailed(codes.Unavailable, &errdetails.RetryInfo{}),
	}
	for name, err := range tests {
		if got := FromStatus(err); got != err { //nolint:errorlint // the very same is wanted
			t.Errorf("%s became %v", name, got)
		}
	}
}

func TestWhoIsToComeLessOftenHearsWhenToComeAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent *Error
		want time.Duration
	}{
		{New(errorsv1.ErrorReason_META_RATE_LIMITED), time.Minute},
		{New(errorsv1.ErrorReason_META_RATE_LIMITED).RetryAfter(time.Hour), time.Hour},
		{New(errorsv1.ErrorReason_META_UNAVAILABLE), 0},
	} {
		received, _ := As(FromStatus(c.sent.Status(English).Err()))
		if received.Delay() != c.want {
			t.Errorf("%v: %s, want %s", c.sent, received.Delay(), c.want)
		}
	}
}
