// Package server wires and runs one token-broker.
package server

import (
	"errors"
	"regexp"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/secret"
)

// Settings of the broker.
type Settings struct {
	cli.Common `embed:""`

	MetaAccessToken     secret.Text `placeholder:"TOKEN" help:"The operator's own system-user token, for its own business only."`
	MetaOwnOrganization string      `placeholder:"ID" help:"The one organization that META_ACCESS_TOKEN serves."`
	MetaOwnWABAIDs      []string    `name:"meta-own-waba-ids" placeholder:"ID" help:"The WABAs that META_ACCESS_TOKEN serves."`
}

// Validate joins everything that is wrong.
func (s *Settings) Validate() error {
	errs := []error{s.Common.Validate()}
	if !s.MetaAccessToken.IsEmpty() && (s.MetaOwnOrganization == "" || len(s.MetaOwnWABAIDs) == 0) {
		errs = append(errs, errors.New(
			"META_ACCESS_TOKEN needs META_OWN_ORGANIZATION and META_OWN_WABA_IDS: it may serve nobody else"))
	}
	if s.MetaAccessToken.IsEmpty() && (s.MetaOwnOrganization != "" || len(s.MetaOwnWABAIDs) > 0) {
		errs = append(errs, errors.New("META_OWN_ORGANIZATION and META_OWN_WABA_IDS need META_ACCESS_TOKEN: it is what serves them"))
	}
	for _, id := range s.MetaOwnWABAIDs {
		if !wabaID.MatchString(id) {
			errs = append(errs, errors.New("META_OWN_WABA_IDS must be ids of 1 to 32 digits, with commas between them"))
			break
		}
	}
	return errors.Join(errs...)
}

var wabaID = regexp.MustCompile(`^[0-9]{1,32}$`)

// Program is the command line of the broker.
func Program() cli.Program {
	settings := &Settings{}
	return cli.Program{
		Name:        "token-broker",
		Description: "Spends authorization codes of WhatsApp Embedded Signup and keeps the access tokens of customers.",
		Settings:    settings,
		Vars:        map[string]string{"grpc_listen": ":9090", "admin_listen": ":9091"},
		Serve:       settings.serve,
		Migrations:  Migrations(),
		CheckLive:   settings.checkLive,
	}
}
