package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
)

// BrokerClient is how to reach token-broker.
func (s *Settings) BrokerClient(log *slog.Logger) rpc.ClientConfig {
	return rpc.ClientConfig{
		Addr: s.BrokerAddr, TLS: s.tls(), Insecure: s.Insecure, Token: s.BrokerToken,
		Timeouts:    map[string]time.Duration{tokenbrokerv1.TokenBrokerService_ExchangeCode_FullMethodName: rpc.ExchangeTimeout},
		Unavailable: errorsv1.ErrorReason_BROKER_UNAVAILABLE,
		Log:         log,
	}
}

// askBroker asks whether token-broker serves, and us. To watch its health takes a caller that it knows, where to check it
// takes none; and neither stands in its log.
func askBroker(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return refusal(err)
	}
	health, err := watch.Recv()
	if err != nil {
		return refusal(err)
	}
	if status := health.GetStatus(); status != grpc_health_v1.HealthCheckResponse_SERVING {
		return fault.New(errorsv1.ErrorReason_BROKER_UNAVAILABLE).Cause(fmt.Errorf("token-broker is %s", status))
	}
	return nil
}

// refusal says what to do about an answer of token-broker's that is none for us.
func refusal(err error) error {
	f, ok := fault.As(fault.FromStatus(err))
	switch {
	case !ok:
		return fault.New(errorsv1.ErrorReason_BROKER_UNAVAILABLE).Cause(fmt.Errorf("if it runs there, its log says which certificate it does not take: %w", err))
	case f.Reason() == errorsv1.ErrorReason_UNAUTHENTICATED:
		return fmt.Errorf("token-broker does not know us: its CALLERS_FILE must list a DNS name of our TLS_CERT_FILE as san, its TLS_CA_FILE must hold who signed that, and under INSECURE it lists the SHA-256 of our BROKER_TOKEN: %w", f)
	case f.Reason() == errorsv1.ErrorReason_PERMISSION_DENIED:
		return fmt.Errorf("token-broker knows us, but its CALLERS_FILE must list ExchangeCode, BindWaba, GetAccessToken and GetToken among our rpcs: %w", f)
	}
	return f
}

// checkBroker asks token-broker for a token that is not there: that it says so proves all but that it has others.
func (s *Settings) checkBroker(ctx context.Context, log *slog.Logger) error {
	client := s.BrokerClient(log)
	client.Unavailable = errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED // its own words
	conn, err := rpc.Dial(client)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err = askBroker(ctx, conn); err == nil {
		_, err = tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
			OrganizationId: "check", Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: uuid.NewString()},
		})
		if errors.Is(err, fault.New(errorsv1.ErrorReason_TOKEN_NOT_FOUND)) {
			return nil
		}
		err = refusal(err)
	}
	return fmt.Errorf("ask token-broker at BROKER_ADDR: %w", err)
}
