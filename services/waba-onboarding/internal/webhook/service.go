package webhook

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Service implements WebhookService and MessageService.
type Service struct {
	onboardingv1.UnimplementedWebhookServiceServer
	onboardingv1.UnimplementedMessageServiceServer

	Store *store.Store
	Keys  *keyring.Keyring
}

var (
	_ onboardingv1.WebhookServiceServer = (*Service)(nil)
	_ onboardingv1.MessageServiceServer = (*Service)(nil)
)

// ListChanges implements WebhookService.
func (s *Service) ListChanges(ctx context.Context, req *onboardingv1.ListChangesRequest) (*onboardingv1.ListChangesResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	filter := store.ChangeFilter{Organization: scope, Fields: req.GetFields()}
	for _, state := range req.GetStates() {
		filter.States = append(filter.States, state.String())
	}
	if id, err := uuid.Parse(req.GetConnectionId()); err == nil {
		filter.ConnectionID = id
	}
	pages := connection.Pages{
		Keys: s.Keys, List: "changes", Scope: scope,
		Filter: append(append([]string{req.GetConnectionId()}, filter.Fields...), filter.States...),
	}
	before, err := pages.Open(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := connection.PageSize(req.GetPageSize())
	list, err := s.Store.ListChanges(ctx, filter, before, size+1)
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListChangesResponse{}
	list, resp.NextPageToken, err = connection.Cut(pages, list, size, func(row store.Change) uuid.UUID { return row.ID })
	if err != nil {
		return nil, err
	}
	for _, change := range list {
		resp.Changes = append(resp.Changes, describeChange(change))
	}
	return resp, nil
}

// GetChange implements WebhookService.
func (s *Service) GetChange(ctx context.Context, req *onboardingv1.GetChangeRequest) (*onboardingv1.GetChangeResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(req.GetChangeId())
	if err != nil {
		return nil, notFound()
	}
	change, err := s.Store.FindChange(ctx, scope, id)
	if err != nil {
		return nil, asFault(err)
	}
	return &onboardingv1.GetChangeResponse{Change: Describe(change)}, nil
}

// ListDeliveries implements WebhookService.
func (s *Service) ListDeliveries(ctx context.Context, req *onboardingv1.ListDeliveriesRequest) (*onboardingv1.ListDeliveriesResponse, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	pages := connection.Pages{Keys: s.Keys, List: "deliveries"}
	before, err := pages.Open(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := connection.PageSize(req.GetPageSize())
	list, err := s.Store.ListDeliveries(ctx, before, size+1)
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListDeliveriesResponse{}
	list, resp.NextPageToken, err = connection.Cut(pages, list, size, func(row store.Delivery) uuid.UUID { return row.ID })
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		resp.Deliveries = append(resp.Deliveries, describeDelivery(d))
	}
	return resp, nil
}

// GetDelivery implements WebhookService.
func (s *Service) GetDelivery(ctx context.Context, req *onboardingv1.GetDeliveryRequest) (*onboardingv1.GetDeliveryResponse, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	id, err := uuid.Parse(req.GetDeliveryId())
	if err != nil {
		return nil, notFound()
	}
	d, err := s.Store.FindDelivery(ctx, id)
	if err != nil {
		return nil, asFault(err)
	}
	return &onboardingv1.GetDeliveryResponse{Delivery: describeDelivery(d)}, nil
}

// platformOnly refuses tenants: a delivery may hold the changes of several.
func platformOnly(ctx context.Context) error {
	caller, ok := identity.FromContext(ctx)
	if !ok || !caller.IsPlatform() {
		return fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	return nil
}

// ListMessages implements MessageService.
func (s *Service) ListMessages(ctx context.Context, req *onboardingv1.ListMessagesRequest) (*onboardingv1.ListMessagesResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	id, err := uuid.Parse(req.GetConnectionId())
	if err != nil {
		return nil, notFound()
	}
	pages := connection.Pages{Keys: s.Keys, List: "messages", Scope: scope, Filter: []string{id.String()}}
	before, err := pages.Open(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := connection.PageSize(req.GetPageSize())
	list, err := s.Store.ListMessages(ctx, scope, id, before, size+1)
	if err != nil {
		return nil, asFault(err)
	}
	resp := &onboardingv1.ListMessagesResponse{}
	list, resp.NextPageToken, err = connection.Cut(pages, list, size, func(row store.Message) uuid.UUID { return row.ID })
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		resp.Messages = append(resp.Messages, describeMessage(m))
	}
	return resp, nil
}

func describeChange(c store.Change) *onboardingv1.Change {
	described := &onboardingv1.Change{
		ChangeId: c.ID.String(), Field: c.Field, WabaId: c.WabaID, PhoneNumberId: c.PhoneNumberID,
		State:       onboardingv1.Change_State(onboardingv1.Change_State_value[string(c.State)]),
		ReceiveTime: timestamppb.New(c.ReceiveTime), EntryTime: connection.Timestamp(c.EntryTime),
		DeliveryId: c.DeliveryID.String(), OrganizationId: c.OrganizationID,
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

func describeMessage(m store.Message) *onboardingv1.Message {
	return &onboardingv1.Message{
		MessageId: m.ID.String(), ConnectionId: m.ConnectionID.String(), PhoneNumberId: m.PhoneNumberID, Wamid: m.Wamid,
		Direction:    onboardingv1.Message_Direction(onboardingv1.Message_Direction_value[string(m.Direction)]),
		ContactPhone: m.ContactPhone, ContactUserId: m.ContactUserID, ContactName: m.ContactName, Type: m.Type, Text: m.Text,
		State:       onboardingv1.Message_State(onboardingv1.Message_State_value[m.State()]),
		MessageTime: connection.Timestamp(m.MessageTime), SentTime: connection.Timestamp(m.SentTime),
		DeliveredTime: connection.Timestamp(m.DeliveredTime), ReadTime: connection.Timestamp(m.ReadTime), Error: m.Error,
		ContentJson: strings.ToValidUTF8(string(m.Content), "\uFFFD"),
	}
}

func notFound() error { return fault.New(errorsv1.ErrorReason_NOT_FOUND) }

func asFault(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound()
	}
	return err
}
