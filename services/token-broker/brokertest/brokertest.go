// Package brokertest runs a real token-broker inside a test: the broker as production wires it, with its interceptors,
// on a database of the test and a simulated Meta. Nothing but Meta is faked.
package brokertest

import (
	"cmp"
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/server"
)

// What the broker and the simulated Meta know of each other, and the name under which tests call.
const (
	AppID     = "670843880000001"
	AppSecret = "brokertest-app+secret/8f3a" //nolint:gosec // guards nothing: a simulated app's
	Caller    = "brokertest"
)

// Options may stay empty.
type Options struct {
	// Settings beside those that Start makes: the own business.
	Settings server.Settings
	// Keys seal the tokens. Two brokers on one database share them.
	Keys *keyring.Keyring
	Now  func() time.Time
	Log  *slog.Logger
}

// Broker is a running broker and its client.
type Broker struct {
	tokenbrokerv1.TokenBrokerServiceClient

	Conn *grpc.ClientConn
	// Stop ends it before the test does, as a signal would.
	Stop func()
}

// ServeMeta serves a simulated Meta until the test ends.
func ServeMeta(t testing.TB, cfg graphsim.Config) (meta *graphsim.Simulator, url string) {
	t.Helper()
	cfg.AppID, cfg.AppSecret = cmp.Or(cfg.AppID, AppID), cmp.Or(cfg.AppSecret, AppSecret)
	meta, err := graphsim.New(cfg)
	if err != nil {
		t.Fatalf("simulate Meta: %v", err)
	}
	served := httptest.NewServer(meta)
	t.Cleanup(func() {
		_ = meta.Close() // first: what faults hold would keep the server waiting
		served.Close()
	})
	return meta, served.URL
}

// Start runs a broker on a migrated database until the test ends. Meta and the database are opened before it, so that they
// end after it; what a fault still holds then keeps it waiting.
func Start(t testing.TB, db *database.DB, metaURL string, opts Options) *Broker {
	t.Helper()
	opts = opts.withDefaults(t)
	token := secret.New("brokertest-bearer-token")
	callers, err := identity.New(identity.Options{RPCs: true},
		identity.Entry{Name: Caller, SHA256: token.Fingerprint(), RPCs: []string{identity.All}})
	if err != nil {
		t.Fatalf("list the caller: %v", err)
	}
	s := opts.Settings
	s.GRPCListen = "" // calls come from inside the process only
	s.MetaGraphURL, s.MetaGraphVersion = metaURL, "v25.0"
	s.MetaAppID, s.MetaAppSecret = AppID, secret.New(AppSecret)
	built, err := server.Build(&s, server.Parts{DB: db, Keys: opts.Keys, Callers: callers, Now: opts.Now, Log: opts.Log})
	if err != nil {
		t.Fatalf("build the broker: %v", err)
	}
	conn, err := rpc.Dial(rpc.ClientConfig{Server: built.RPC, Token: token, Timeouts: server.Timeouts(), Log: opts.Log})
	if err != nil {
		t.Fatalf("dial the broker: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- built.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the broker ended with %v", err)
		}
		_ = conn.Close()
	})
	t.Cleanup(stop)
	return &Broker{TokenBrokerServiceClient: tokenbrokerv1.NewTokenBrokerServiceClient(conn), Conn: conn, Stop: stop}
}

func (o Options) withDefaults(t testing.TB) Options {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Keys == nil {
		keys, err := keyring.Ephemeral()
		if err != nil {
			t.Fatalf("make keys: %v", err)
		}
		o.Keys = keys
	}
	return o
}
