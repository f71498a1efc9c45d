// Command graphsim serves the simulated Meta with its control plane, for local runs and for tests of whole
// processes. See package graphsim for what it does. It never belongs into production.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/whatrack/connect/services/graphsim"
)

// flags are the program's settings. The environment variables are those of the services, so that one set of
// credentials serves all.
type flags struct {
	Listen      string `default:"127.0.0.1:8081" help:"Address to listen on: loopback only, unless --allow-remote."`
	AllowRemote bool   `help:"Listen on other addresses too. Whoever reaches the port can mint codes and read tokens."`

	AppID                 string        `env:"META_APP_ID" help:"The simulated app's id."`
	AppSecret             string        `env:"META_APP_SECRET" help:"The simulated app's secret."`
	ConfigID              string        `env:"META_CONFIG_ID" help:"The Embedded Signup configuration that the dialog takes."`
	RedirectURIs          []string      `name:"redirect-uris" help:"Where the dialog may end, exactly; their origins may open the popup. Default: any URL of this machine."`
	RequireAppsecretProof bool          `help:"Refuse calls that carry an access token without its appsecret_proof."`
	StateFile             string        `type:"path" help:"Keep codes, tokens, accounts, unsent webhooks and the clock in this file (0600)."`
	Latency               time.Duration `default:"0s" help:"How long each Graph answer usually takes."`

	CallbackURL string `env:"META_WEBHOOK_CALLBACK_URL" help:"Where webhooks go, all fields. It is not verified at start."`
	VerifyToken string `env:"META_WEBHOOK_VERIFY_TOKEN" help:"The token that verifying the callback carries."`

	OwnAccessToken string   `env:"META_ACCESS_TOKEN" help:"System-user token of the operator's own business."`
	OwnBusinessID  string   `help:"Id of the operator's own business."`
	OwnWabaIDs     []string `env:"META_OWN_WABA_IDS" name:"own-waba-ids" help:"WABAs of the own business, one number each."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// realMain is the whole program but the exit: 0 is a clean end, 1 a failure, 2 wrong usage.
func realMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	helped := false
	parser, err := kong.New(&f, kong.Name("graphsim"), kong.Description("Meta's Graph API and its webhooks, simulated. The control plane is under /_sim/."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }))
	if err == nil {
		_, err = parser.Parse(args)
	}
	if helped {
		return 0
	}
	if err == nil {
		err = f.checkListen()
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "graphsim:", err) // there is nowhere else to complain
		return 2
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	if err := f.run(ctx, log); err != nil {
		log.Error("graphsim failed", "error", err)
		return 1
	}
	return 0
}

// checkListen refuses addresses that others could reach.
func (f flags) checkListen() error {
	host, _, err := net.SplitHostPort(f.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if f.AllowRemote || host == "localhost" || net.ParseIP(host).IsLoopback() {
		return nil
	}
	return fmt.Errorf("--listen %s is no loopback address, and whoever reaches the simulator can mint codes and read "+
		"tokens; use 127.0.0.1, or say --allow-remote", f.Listen)
}

// run serves until ctx ends.
func (f flags) run(ctx context.Context, log *slog.Logger) (err error) {
	sim, err := graphsim.New(f.config(log))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler:           sim,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second, // requests that a fault delays or holds lift it for themselves
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("graphsim listens", "address", listener.Addr().String())

	select {
	case err = <-served:
		return errors.Join(err, sim.Close())
	case <-ctx.Done():
	}
	err = sim.Close() // first of all, since it lets go what faults hold
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if shutdownErr := server.Shutdown(deadline); shutdownErr != nil {
		err = errors.Join(err, shutdownErr, server.Close())
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	log.Info("graphsim stopped")
	return err
}

func (f flags) config(log *slog.Logger) graphsim.Config {
	own := []graphsim.OwnWABA{}
	for _, id := range f.OwnWabaIDs {
		own = append(own, graphsim.OwnWABA{ID: id, Phones: make([]graphsim.Phone, 1)})
	}
	return graphsim.Config{
		AppID: f.AppID, AppSecret: f.AppSecret, ConfigID: f.ConfigID, RedirectURIs: f.RedirectURIs,
		OwnAccessToken: f.OwnAccessToken, OwnBusinessID: f.OwnBusinessID, CallbackURL: f.CallbackURL, VerifyToken: f.VerifyToken,
		OwnWABAs: own, RequireAppSecretProof: f.RequireAppsecretProof, StateFile: f.StateFile, Latency: f.Latency, Log: log,
	}
}
