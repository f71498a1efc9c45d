package onboarding

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// describe is an onboarding as callers see it. Its sentences are those of its reason, or of what its current step waits
// for.
func describe(o *store.Onboarding, lang fault.Language) *onboardingv1.Onboarding {
	reason := o.Reason
	if current := o.Steps.Current(); reason == "" && current != nil {
		reason = current.Reason
	}
	text := fault.Describe(reason, lang)
	described := &onboardingv1.Onboarding{
		OnboardingId: o.ID.String(), OrganizationId: o.OrganizationID,
		State:  onboardingv1.Onboarding_State(onboardingv1.Onboarding_State_value[string(o.State)]),
		Reason: reason, Message: text.Happened, NextAction: text.Do, StateTime: timestamppb.New(o.StateTime),
		CreateTime: timestamppb.New(o.CreateTime), ExpireTime: timestamppb.New(o.ExpireTime),
		Metadata: o.Metadata,
	}
	for _, step := range o.Steps {
		described.Steps = append(described.Steps, &onboardingv1.Step{
			Name: step.Name, State: onboardingv1.Step_State(onboardingv1.Step_State_value[string(step.State)]),
			Reason: step.Reason, StartTime: connection.Timestamp(step.StartTime), EndTime: connection.Timestamp(step.EndTime),
			Attempts: int32(step.Attempts), //nolint:gosec // bounded by the claim's deadline
		})
	}
	for _, c := range o.Choices {
		described.Choices = append(described.Choices, &onboardingv1.WabaChoice{
			WabaId: c.WabaID, Name: c.Name, DisplayPhoneNumbers: c.DisplayPhoneNumbers,
		})
	}
	if o.Signup != nil {
		described.Signup = &onboardingv1.SignupReport{
			Event: onboardingv1.SignupReport_Event(onboardingv1.SignupReport_Event_value[string(o.Signup.Event)]),
			Step:  o.Signup.Step, ErrorCode: o.Signup.ErrorCode, ErrorMessage: o.Signup.ErrorMessage,
			SessionId: o.Signup.SessionID, UserAgent: o.Signup.UserAgent, Time: timestamppb.New(o.Signup.Time),
		}
	}
	if o.Connection != nil {
		described.Connection = connection.Describe(o.Connection, lang)
	}
	return described
}

// Final tells whether an answer is complete. An onboarding that goes on by itself is not: HTTP 202 instead of 200.
func Final(answer any) bool {
	holder, ok := answer.(interface {
		GetOnboarding() *onboardingv1.Onboarding
	})
	if !ok {
		return true
	}
	state := holder.GetOnboarding().GetState().String()
	return store.OnboardingState(state).Final()
}
