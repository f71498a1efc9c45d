package main

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/whatrack/connect/services/internal/cli"
)

// Settings of the devstack. The addresses are there for machines where a port is taken.
type Settings struct {
	cli.Logging `embed:""`

	Data             string `default:"data" placeholder:"FOLDER" help:"Where databases, keys and the bearer token are kept."`
	HTTPListen       string `name:"http-listen" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"REST and the pages."`
	GraphsimListen   string `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"The simulated Meta."`
	GRPCListen       string `name:"grpc-listen" default:"127.0.0.1:9190" placeholder:"HOST:PORT" help:"gRPC of waba-onboarding."`
	AdminListen      string `default:"127.0.0.1:9191" placeholder:"HOST:PORT" help:"Probes of waba-onboarding."`
	BrokerGRPCListen string `name:"broker-grpc-listen" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"gRPC of token-broker."`
	BrokerAdmin      string `name:"broker-admin-listen" default:"127.0.0.1:9091" placeholder:"HOST:PORT" help:"Probes of token-broker."`

	AllowedOrigins      []string `placeholder:"ORIGINS" help:"Origins whose pages may call the API, separated by commas."`
	AllowedRedirectURIs []string `name:"allowed-redirect-uris" placeholder:"URLS" help:"Pages that the full-page signup may lead back to, separated by commas."`

	Stdout io.Writer `kong:"-"`
}

// address is where a setting says to listen.
type address struct{ setting, listen string }

func (s *Settings) addresses() []address {
	return []address{
		{"HTTP_LISTEN", s.HTTPListen},
		{"GRAPHSIM_LISTEN", s.GraphsimListen},
		{"GRPC_LISTEN", s.GRPCListen},
		{"ADMIN_LISTEN", s.AdminListen},
		{"BROKER_GRPC_LISTEN", s.BrokerGRPCListen},
		{"BROKER_ADMIN_LISTEN", s.BrokerAdmin},
	}
}

// Validate refuses anything but loopback: the traffic is plaintext and the callers are few.
func (s *Settings) Validate() error {
	var errs []error
	for _, a := range s.addresses() {
		host, _, err := net.SplitHostPort(a.listen)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			errs = append(errs, fmt.Errorf("%s must be a loopback address with a port, such as 127.0.0.1:8080", a.setting))
		}
	}
	return errors.Join(errs...)
}
