package graphsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Scopes of a token of Embedded Signup.
const (
	scopeManagement = "whatsapp_business_management"
	scopeMessaging  = "whatsapp_business_messaging"
	scopeEvents     = "whatsapp_business_manage_events" // what some tokens say instead of scopeManagement since June 2026
	scopeBusiness   = "business_management"
)

// dataAccessLife is how long Meta lets an app read a user's data without them coming back. System users have no end.
const dataAccessLife = 90 * 24 * time.Hour

// tokenData is the data of a debug_token answer. The ids are any because Meta has been seen to write them as numbers.
type tokenData struct {
	AppID               any             `json:"app_id,omitempty"`
	Type                string          `json:"type,omitempty"`
	Application         string          `json:"application,omitempty"`
	DataAccessExpiresAt *int64          `json:"data_access_expires_at,omitempty"`
	Error               *tokenFault     `json:"error,omitempty"`
	ExpiresAt           *int64          `json:"expires_at,omitempty"`
	IsValid             bool            `json:"is_valid"`
	IssuedAt            int64           `json:"issued_at,omitempty"`
	Scopes              []string        `json:"scopes"`
	GranularScopes      []granularScope `json:"granular_scopes,omitempty"`
	UserID              any             `json:"user_id,omitempty"`
}

// tokenFault is why a token is not valid. Its subcode is not called error_subcode as it is everywhere else.
type tokenFault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Subcode int    `json:"subcode,omitempty"`
}

type granularScope struct {
	Scope     string `json:"scope"`
	TargetIDs []any  `json:"target_ids,omitempty"`
}

// debugToken describes input_token. Meta answers 200 with an error inside for a token that is not valid, and refuses
// only a caller who has no valid token of the app.
func (c *call) debugToken() (any, *Error) {
	if _, err := c.authenticate(); err != nil {
		err.status = http.StatusBadRequest
		return nil, err
	}
	input := c.params.get("input_token")
	if input == "" {
		return nil, paramError("The parameter input_token is required")
	}
	return map[string]tokenData{"data": c.describe(input)}, nil
}

func (c *call) describe(input string) tokenData {
	if c.isAppToken(input) {
		return tokenData{AppID: c.sim.cfg.AppID, Type: "APP", Application: appName, IsValid: true, Scopes: []string{}}
	}
	t := c.world.Tokens[input]
	if t == nil {
		_, refusal := c.tokenOf(input)
		return tokenData{Error: refusal.tokenFault(), Scopes: []string{}}
	}
	data := tokenData{AppID: c.sim.cfg.AppID, Type: t.Kind, Application: appName, UserID: t.UserID, Scopes: []string{}}
	data.ExpiresAt, data.DataAccessExpiresAt = new(unixOrZero(t.ExpireTime)), new(t.dataAccessExpiry())
	data.IssuedAt = t.IssueTime.Unix()
	if subcode := t.subcode(c.now); subcode != 0 {
		data.Error = c.deadToken(t, subcode).tokenFault()
		return data
	}
	data.IsValid = true
	data.Scopes, data.GranularScopes = t.scopes()
	if t.Granular == GranularNumeric {
		data.AppID, data.UserID = json.Number(c.sim.cfg.AppID), json.Number(t.UserID)
	}
	return data
}

// scopes tells what the token was granted, in the shape that its signup asked for. Target ids come with the most
// recently onboarded first.
func (t *token) scopes() ([]string, []granularScope) {
	targets := []any{}
	for _, id := range slices.Backward(t.WABAIDs) {
		if t.Granular == GranularNumeric {
			targets = append(targets, json.Number(id))
			continue
		}
		targets = append(targets, id)
	}
	if t.Granular == GranularAbsent {
		targets = nil
	}
	management := scopeManagement
	if t.Granular == GranularRenamed {
		management = scopeEvents
	}
	names := []string{management, scopeMessaging}
	granular := []granularScope{{management, targets}, {scopeMessaging, targets}}
	switch t.Granular {
	case GranularDuplicated:
		granular = append(granular, granular...)
	case GranularBusinessIDs:
		names = append([]string{scopeBusiness}, names...)
		granular = append([]granularScope{{scopeBusiness, []any{t.BusinessID}}}, granular...)
	}
	return names, granular
}

func (t *token) dataAccessExpiry() int64 {
	if t.Kind == KindUser {
		return t.IssueTime.Add(dataAccessLife).Unix()
	}
	return 0
}

func (e *Error) tokenFault() *tokenFault {
	return &tokenFault{Code: e.Code, Message: e.Message, Subcode: e.Subcode}
}

func unixOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
