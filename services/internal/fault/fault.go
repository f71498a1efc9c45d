// Package fault is the one kind of error that callers of our services see.
//
// A fault has a gRPC code, a stable reason (an ErrorReason of the contract), a sentence that says what happened and one
// that says what to do, both in English and Portuguese. The sentences stand in one catalogue (catalogue.go), so that a
// reason means the same wherever it is used, and docs/errors.md can be compared with it. The cause is for logs and
// errors.Is; it never reaches a caller.
package fault

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// Domain is the domain of every ErrorInfo of ours.
const Domain = "connect.whatrack"

// Reason is an ErrorReason of the contract.
type Reason = errorsv1.ErrorReason

// Error is a fault. Its methods return copies, so that a fault can be kept and extended.
type Error struct {
	reason     Reason
	metadata   map[string]string
	violations []Violation
	retryAfter time.Duration
	cause      error
}

// New makes a fault of the catalogue.
func New(reason Reason) *Error { return &Error{reason: reason} }

// With adds a variable to the metadata of the ErrorInfo. Never a secret.
func (e *Error) With(key, value string) *Error {
	return e.WithAll(map[string]string{key: value})
}

// WithAll adds several.
func (e *Error) WithAll(variables map[string]string) *Error {
	next := *e
	next.metadata = map[string]string{}
	maps.Copy(next.metadata, e.metadata)
	maps.Copy(next.metadata, variables)
	return &next
}

// RetryAfter says when to come again.
func (e *Error) RetryAfter(d time.Duration) *Error {
	next := *e
	next.retryAfter = d
	return &next
}

// Cause keeps the error behind the fault, for logs and errors.Is.
func (e *Error) Cause(err error) *Error {
	next := *e
	next.cause = err
	return &next
}

// Reason is the stable name of what happened.
func (e *Error) Reason() Reason { return e.reason }

// Metadata is what With added. Not to be changed.
func (e *Error) Metadata() map[string]string { return e.metadata }

// Violations are the fields that break rules. Not to be changed.
func (e *Error) Violations() []Violation { return e.violations }

// Delay is what RetryAfter set; 0 when nothing was.
func (e *Error) Delay() time.Duration { return e.retryAfter }

// Wait is how long a caller is told to wait. Who is told to come less often always hears for how long; Meta does not
// always say it.
func (e *Error) Wait() time.Duration {
	if e.retryAfter == 0 && e.Code() == codes.ResourceExhausted {
		return time.Minute
	}
	return e.retryAfter
}

// Code is the gRPC code of the reason.
func (e *Error) Code() codes.Code { return entryOf(e.reason).code }

// Error implements error: for logs, with the cause.
func (e *Error) Error() string {
	text := e.reason.String()
	for _, v := range e.violations {
		text += fmt.Sprintf(" (%s: %s)", v.Field, v.Description)
	}
	if e.cause != nil {
		return text + ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is(err, fault.New(reason)) compare reasons.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.reason == e.reason
}

// Status is what a caller sees, in the given language. The message of the status itself is English, as logs of callers
// are; LocalizedMessage is the caller's.
func (e *Error) Status(lang Language) *status.Status {
	entry := entryOf(e.reason)
	text := e.text(English)
	st := status.New(entry.code, text.Happened+". "+text.Do+".")
	details := []protoadapt.MessageV1{e.info(), e.localized(lang)}
	if len(e.violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range e.violations {
			bad.FieldViolations = append(bad.FieldViolations, v.proto(lang))
		}
		details = append(details, bad)
	}
	if wait := e.Wait(); wait > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	}
	details = append(details, &errdetails.Help{Links: []*errdetails.Help_Link{{
		Description: "what to do about " + e.reason.String(),
		Url:         "https://github.com/whatrack/connect/blob/main/docs/errors.md#" + e.reason.String(),
	}}})
	full, err := st.WithDetails(details...)
	if err != nil { // can not happen: all details are messages, and the code is not OK
		return st
	}
	return full
}

func (e *Error) info() *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: e.reason.String(), Domain: Domain, Metadata: e.metadata}
}

func (e *Error) localized(lang Language) *errdetails.LocalizedMessage {
	text := e.text(lang)
	return &errdetails.LocalizedMessage{Locale: string(lang), Message: text.Happened + ". " + text.Do + "."}
}

// text is the catalogue's, with the fields that break rules.
func (e *Error) text(lang Language) Text {
	text := entryOf(e.reason).text(lang)
	for _, v := range e.violations {
		text.Happened += fmt.Sprintf(" (%s: %s)", v.Field, cmp.Or(v.text(lang), v.Description))
	}
	return text
}

// As finds the fault in a chain of errors.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// FromStatus rebuilds the fault that another service of ours answered. Anything else comes back as it was.
func FromStatus(err error) error {
	if _, ok := As(err); ok || err == nil {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &Error{cause: err}
	for _, detail := range st.Proto().GetDetails() {
		msg, err := detail.UnmarshalNew()
		if err != nil {
			continue
		}
		e.take(msg)
	}
	if e.reason == errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		return err
	}
	return e
}

func (e *Error) take(detail proto.Message) {
	switch d := detail.(type) {
	case *errdetails.ErrorInfo:
		if d.GetDomain() == Domain {
			e.reason = Reason(errorsv1.ErrorReason_value[d.GetReason()])
			e.metadata = d.GetMetadata()
		}
	case *errdetails.RetryInfo:
		e.retryAfter = d.GetRetryDelay().AsDuration()
	case *errdetails.BadRequest:
		for _, v := range d.GetFieldViolations() {
			e.violations = append(e.violations, violationOf(v))
		}
	}
}
