package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/whatrack/connect/gen/openapi"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/internal/sparse"
	"github.com/whatrack/connect/services/waba-onboarding/internal/onboarding"
	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
	"github.com/whatrack/connect/services/waba-onboarding/web"
)

// front is plain HTTP before the gRPC server.
func (o *Onboarding) front(s *Settings, p Parts, onboardings *onboarding.Service, keeper webhook.Keeper) error {
	pages, err := web.New(s.webOrigins())
	if err != nil {
		return err
	}
	o.gateway, err = rpc.NewGateway(rpc.GatewayConfig{
		Server: o.RPC,
		Register: []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
			onboardingv1.RegisterOnboardingServiceHandler, onboardingv1.RegisterConnectionServiceHandler,
			onboardingv1.RegisterWebhookServiceHandler, onboardingv1.RegisterMessageServiceHandler,
		},
		Status: statusOf, Log: p.Log,
	})
	if err != nil {
		return err
	}
	api := newCORS(s.AllowedOrigins, o.gateway)
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/api", api)
	mux.Handle("/api/", api)
	mux.HandleFunc("GET /openapi.json", serveOpenAPI)
	for _, probe := range []string{"/livez", "/readyz", "/healthz", "/metrics"} { // of the wrong port: no page, which would be well
		mux.Handle(probe, http.NotFoundHandler())
	}
	if s.PublicURL != "" {
		mux.Handle(callbackPath, rpc.Identified(&callback{finish: onboardings.FinishDialog, log: p.Log}))
	}
	intake := &webhook.Intake{
		Keeper: keeper, VerifyToken: s.MetaWebhookVerifyToken, Secrets: s.appSecrets(),
		Memory: webhook.NewMemory(intakeMemory), Log: sparse.New(p.Log, time.Minute),
	}
	mux.Handle(webhookPath, intake)
	all := webhooksFirst(intake, web.Secure(mux, s.overTLS()))
	o.HTTP, err = rpc.NewHTTP(rpc.HTTPConfig{Setting: "HTTP_LISTEN", Listen: s.HTTPListen, Handler: all, Log: p.Log})
	if err != nil {
		return errors.Join(err, o.gateway.Close())
	}
	o.RPC.Front(o.HTTP.Serve)
	return nil
}

const webhookPath = "/api/v1/whatsapp/webhook"

// webhooksFirst hands Meta's webhooks over before anything else: they are many, and Meta is no browser and needs no
// browser's headers.
func webhooksFirst(intake, rest http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == webhookPath {
			intake.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	}
}

// intakeMemory bounds the bodies of webhooks that are in memory at a time.
const intakeMemory = 64 << 20

// appSecrets are those whose signatures count. Without any, every webhook is refused.
func (s *Settings) appSecrets() []secret.Text {
	var secrets []secret.Text
	for _, known := range []secret.Text{s.MetaAppSecret, s.MetaAppSecretPrevious} {
		if !known.IsEmpty() {
			secrets = append(secrets, known)
		}
	}
	return secrets
}

// statusOf answers 202 for an onboarding that goes on.
func statusOf(answer proto.Message) int {
	if onboarding.Final(answer) {
		return http.StatusOK
	}
	return http.StatusAccepted
}

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(openapi.JSON)
}

// webOrigins are Meta's, or those of the simulator that the settings name. Meta lists no origins for its SDK: these are
// our judgement of what it asks and embeds, and not yet tried against it.
func (s *Settings) webOrigins() web.Origins {
	sdk, dialog := originOf(s.MetaSDKURL), originOf(s.dialogURL())
	if dialog != "https://www.facebook.com" {
		both := slices.Compact([]string{sdk, dialog})
		return web.Origins{Scripts: sdk, Connect: both, Frames: both}
	}
	return web.Origins{
		Scripts: sdk,
		Connect: []string{sdk, dialog, "https://web.facebook.com", "https://graph.facebook.com"},
		Frames:  []string{dialog, "https://web.facebook.com", "https://business.facebook.com", "https://staticxx.facebook.com"},
	}
}

// originOf is the origin of an absolute URL.
func originOf(absolute string) string {
	u, err := url.Parse(absolute)
	if err != nil { // Validate saw to it
		return ""
	}
	return u.Scheme + "://" + u.Host
}
