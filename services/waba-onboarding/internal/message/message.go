// Package message is MessageService: the messages of a connection's numbers, and sending one.
//
// It promises that a request is sent at most once. A message is on record before Meta is asked, and only one that is
// known not to have arrived is ever sent again, when its caller asks again: a lost answer leaves it UNKNOWN until a
// status tells. What was begun is brought to its end and written down whether or not its caller still listens.
package message

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/google/uuid"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/bell"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Config is what the service needs.
type Config struct {
	Store  *store.Store
	Broker tokenbrokerv1.TokenBrokerServiceClient
	Meta   *graph.Client
	Keys   *keyring.Keyring
	Log    *slog.Logger
}

// Service implements MessageService.
type Service struct {
	onboardingv1.UnsafeMessageServiceServer

	Config
	changed  bell.Bell
	detached sync.WaitGroup
}

var _ onboardingv1.MessageServiceServer = (*Service)(nil)

// New makes the service. Its Drain must run after the server.
func New(cfg Config) *Service { return &Service{Config: cfg} }

// Drain waits for every message that is being sent. It is called when the server takes no more calls.
func (s *Service) Drain() { s.detached.Wait() }

// ListMessages implements MessageService.
func (s *Service) ListMessages(ctx context.Context, req *onboardingv1.ListMessagesRequest) (*onboardingv1.ListMessagesResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	list, next, err := page.Fitting(page.List{Keys: s.Keys, Name: "messages", Scope: scope, Filter: []string{id.String()}}, req,
		func(m store.Message) uuid.UUID { return m.ID },
		func(before uuid.UUID, limit int) ([]store.Message, error) {
			return s.Store.ListMessages(ctx, scope, id, before, limit)
		}, fit)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	resp := &onboardingv1.ListMessagesResponse{NextPageToken: next}
	for _, m := range list {
		resp.Messages = append(resp.Messages, describe(m))
	}
	return resp, nil
}

// maxPage bounds the bytes of a page, which a gRPC client takes by default up to 4 MiB.
const maxPage = 3 << 20

// fit is the size of a page, smaller where the messages are long, and one at least.
func fit(list []store.Message, size int) int {
	bytes := 0
	for i, m := range list[:min(size, len(list))] {
		if bytes += len(m.Text) + len(m.Content); bytes > maxPage && i > 0 {
			return i
		}
	}
	return size
}

func describe(m store.Message) *onboardingv1.Message {
	return &onboardingv1.Message{
		MessageId: m.ID.String(), ConnectionId: m.ConnectionID.String(), PhoneNumberId: m.PhoneNumberID, Wamid: m.Wamid,
		Direction:    onboardingv1.Message_Direction(onboardingv1.Message_Direction_value[string(m.Direction)]),
		ContactPhone: m.ContactPhone, ContactUserId: m.ContactUserID, ContactName: m.ContactName, Type: m.Type, Text: m.Text,
		State:       onboardingv1.Message_State(onboardingv1.Message_State_value[m.State()]),
		MessageTime: connection.Timestamp(m.Time()), SentTime: connection.Timestamp(m.SentTime),
		DeliveredTime: connection.Timestamp(m.DeliveredTime), ReadTime: connection.Timestamp(m.ReadTime), Error: m.Error,
		ContentJson: strings.ToValidUTF8(string(m.Content), "\uFFFD"),
		RequestId:   m.RequestID, OrganizationId: m.OrganizationID, Revoked: m.Revoked, EditTime: connection.Timestamp(m.EditTime),
	}
}
