package connection

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Describe is a connection as callers see it.
func Describe(c *store.Connection, lang fault.Language) *onboardingv1.Connection {
	described := &onboardingv1.Connection{
		ConnectionId: c.ID.String(), OrganizationId: c.OrganizationID, WabaId: c.WabaID, BusinessId: c.BusinessID,
		Name: c.Name, State: onboardingv1.Connection_State(onboardingv1.Connection_State_value[string(c.State)]),
		StateTime: timestamppb.New(c.StateTime), LastEventTime: Timestamp(c.LastEventTime),
		CreateTime: timestamppb.New(c.CreateTime), OnboardingId: c.OnboardingID.String(),
		Token: &onboardingv1.ConnectionToken{
			TokenId: c.TokenID, State: tokenState(c), ExpireTime: Timestamp(c.TokenExpireTime), OwnBusiness: c.OwnBusiness,
		},
		Subscription: &onboardingv1.Subscription{
			Proven: c.SubscriptionProven, ProveTime: Timestamp(c.SubscriptionTime), Reason: c.SubscriptionReason,
		},
	}
	for _, reason := range c.Reasons {
		text := fault.Describe(reason, lang)
		described.Reasons = append(described.Reasons,
			&onboardingv1.ConnectionReason{Reason: reason, Message: text.Happened, NextAction: text.Do})
	}
	for _, n := range c.PhoneNumbers {
		described.PhoneNumbers = append(described.PhoneNumbers, describeNumber(n))
	}
	return described
}

// tokenState is what the broker said of the token last, unless Meta, or the clock, has said since that it is dead.
func tokenState(c *store.Connection) string {
	if c.TokenState != tokenbrokerv1.Token_ACTIVE.String() {
		return c.TokenState
	}
	switch {
	case slices.Contains(c.Reasons, errorsv1.ErrorReason_TOKEN_INVALID.String()):
		return tokenbrokerv1.Token_INVALID.String()
	case slices.Contains(c.Reasons, errorsv1.ErrorReason_TOKEN_EXPIRED.String()):
		return tokenbrokerv1.Token_EXPIRED.String()
	}
	return c.TokenState
}

// describeSync is absent for a number that brings nothing along.
func describeSync(parts []store.SyncPart) *onboardingv1.Sync {
	if len(parts) == 0 {
		return nil
	}
	described := &onboardingv1.Sync{}
	for _, p := range parts {
		part := &onboardingv1.SyncPart{
			State:  onboardingv1.SyncPart_State(onboardingv1.SyncPart_State_value[string(p.State)]),
			Reason: p.Reason, RequestTime: Timestamp(p.RequestTime), UpdateTime: timestamppb.New(p.UpdateTime),
			Progress: int32(p.Progress), ItemCount: p.ItemCount, //nolint:gosec // at most 100
		}
		if p.Part == store.SyncContacts {
			described.Contacts = part
		} else {
			described.History = part
		}
	}
	return described
}

func describeNumber(n store.PhoneNumber) *onboardingv1.PhoneNumber {
	return &onboardingv1.PhoneNumber{
		PhoneNumberId: n.PhoneNumberID, DisplayPhoneNumber: n.DisplayPhoneNumber, VerifiedName: n.VerifiedName,
		Status: n.Status, QualityRating: n.QualityRating, PlatformType: n.PlatformType, Coexistence: n.Coexistence,
		NameStatus: n.NameStatus, MessagingLimit: n.MessagingLimit, CanSendMessage: n.CanSendMessage,
		Reason: n.Reason, Metadata: n.Metadata,
		Registration: onboardingv1.PhoneNumber_Registration(onboardingv1.PhoneNumber_Registration_value[string(n.Registration)]),
		Sync:         describeSync(n.Sync),
	}
}

func describeActivity(a store.Activity, lang fault.Language) *onboardingv1.Activity {
	return &onboardingv1.Activity{
		ActivityId: a.ID.String(), ConnectionId: idOrEmpty(a.ConnectionID), OnboardingId: idOrEmpty(a.OnboardingID),
		Type: a.Type, Time: timestamppb.New(a.Time), Actor: a.Actor, OrganizationId: a.OrganizationID, Reason: a.Reason,
		Message: fault.Describe(a.Reason, lang).Happened, Metadata: a.Metadata,
	}
}

func idOrEmpty(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

// Timestamp is absent for nil.
func Timestamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

// Language is the one that the caller asked for.
func Language(ctx context.Context) fault.Language {
	return fault.ParseLanguage(strings.Join(metadata.ValueFromIncomingContext(ctx, "accept-language"), ","))
}
