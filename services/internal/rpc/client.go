package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/secret"
)

// ClientConfig is what a connection needs.
type ClientConfig struct {
	// Addr is host:port. Or Server: a server in this process, without network and TLS.
	Addr   string
	Server *Server
	// TLS needs CA unless the system's authorities sign the server; Cert and Key are who we are.
	TLS TLSFiles
	// Insecure is plaintext, instead of TLS.
	Insecure bool
	// Token is who we are where no certificate says it.
	Token secret.Text
	// Timeouts are the server's own deadlines by full method, 10 s where there is none; ours are two seconds longer, so
	// that the server's answer wins.
	Timeouts map[string]time.Duration
	// Unavailable is the fault of a server that can not be reached, that does not answer, or that refuses *us*: our caller
	// could mistake the refusal of our own credential for one of his. Unset: such errors come back as they are.
	Unavailable fault.Reason
	Log         *slog.Logger
}

// Dial makes a connection, lazily. Nothing is ever sent twice: gRPC repeats only what provably never left.
func Dial(cfg ClientConfig) (*grpc.ClientConn, error) {
	creds, err := cfg.credentials()
	if err != nil {
		return nil, err
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithChainUnaryInterceptor((&caller{cfg}).unary),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
	}
	if !cfg.Token.IsEmpty() {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer{cfg.Token, cfg.isPlaintext()}))
	}
	if cfg.Server != nil {
		return grpc.NewClient("passthrough:///"+inProcess, append(opts, cfg.Server.dialer())...)
	}
	return grpc.NewClient(cfg.Addr, opts...)
}

func (c ClientConfig) isPlaintext() bool { return c.Insecure || c.Server != nil }

func (c ClientConfig) credentials() (credentials.TransportCredentials, error) {
	switch {
	case (c.Addr == "") == (c.Server == nil):
		return nil, errors.New("a client needs an address, or a server in this process")
	case c.Insecure && !c.TLS.isEmpty():
		return nil, errors.New("TLS files and INSECURE exclude each other")
	case c.isPlaintext():
		return insecure.NewCredentials(), nil
	}
	k, err := newKeeper(c.TLS, c.Log)
	if err != nil {
		return nil, err
	}
	return &transport{k, c.Log}, nil
}

// dialer reaches the server without a network.
func (s *Server) dialer() grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.buffer.DialContext(ctx) })
}

// bearer sends a token with each call, in the clear only when that was asked for.
type bearer struct {
	token     secret.Text
	plaintext bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{authorizationKey: "Bearer " + b.token.Reveal()}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (b bearer) RequireTransportSecurity() bool { return !b.plaintext }
