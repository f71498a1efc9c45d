package webhook

import (
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Describe is a change as callers see it, with its value.
func Describe(c store.Change) *onboardingv1.Change {
	described := describeChange(c)
	described.ValueJson = strings.ToValidUTF8(string(c.Value), "\uFFFD")
	return described
}

func describeChange(c store.Change) *onboardingv1.Change {
	described := &onboardingv1.Change{
		ChangeId: c.ID.String(), Field: c.Field, WabaId: c.WabaID, PhoneNumberId: c.PhoneNumberID,
		State:       onboardingv1.Change_State(onboardingv1.Change_State_value[string(c.State)]),
		ReceiveTime: timestamppb.New(c.ReceiveTime), EntryTime: connection.Timestamp(c.EntryTime),
		DeliveryId: c.DeliveryID.String(), OrganizationId: c.OrganizationID, Event: c.Event,
	}
	if c.ConnectionID != nil {
		described.ConnectionId = c.ConnectionID.String()
	}
	return described
}

func describeDelivery(d store.Delivery) *onboardingv1.Delivery {
	return &onboardingv1.Delivery{
		DeliveryId: d.ID.String(), State: onboardingv1.Delivery_State(onboardingv1.Delivery_State_value[string(d.State)]),
		ReceiveTime: timestamppb.New(d.ReceiveTime), SizeBytes: int32(d.SizeBytes), //nolint:gosec // at most 4 MiB
		ChangeCount: int32(d.ChangeCount), Body: d.Body, //nolint:gosec // bounded by the size
	}
}
