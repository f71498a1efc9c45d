package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/whatrack/connect/services/internal/secret"
)

// TokenType is what Meta calls the kind of a token. More kinds than these exist.
type TokenType string

// SystemUser is the kind that the signup gives: a business integration system user.
const SystemUser TokenType = "SYSTEM_USER"

// TokenInfo is what Meta says about a token. A zero time means never.
type TokenInfo struct {
	AppID string // whose token it is: not ours means not our token
	Type  TokenType
	Valid bool

	ExpiresAt           time.Time
	DataAccessExpiresAt time.Time

	Scopes []string

	// TargetIDs are the objects that the token was granted, once each, in the order in which Meta lists them, but for those
	// that are named as businesses alone, which come last. They are candidates: there may be none although the token reads
	// a WABA.
	TargetIDs []string

	subcode int // why it is not valid, where Meta says it
}

// Expired tells of a token that is not valid that it is so of its age, and nobody took the access away.
func (t TokenInfo) Expired() bool { return !t.Valid && t.subcode == subcodeExpired }

type debugAnswer struct {
	Data *debugData `json:"data"`
}

type debugData struct {
	AppID      id                     `json:"app_id"`
	Type       text                   `json:"type"`
	Valid      *flag                  `json:"is_valid"`
	Error      json.RawMessage        `json:"error"`
	Expires    moment                 `json:"expires_at"`
	DataAccess moment                 `json:"data_access_expires_at"`
	Scopes     loose[[]text]          `json:"scopes"`
	Granular   loose[[]loose[grants]] `json:"granular_scopes"`
}

type grants struct {
	Scope     text          `json:"scope"`
	TargetIDs loose[[]text] `json:"target_ids"`
}

// DebugToken asks Meta about a token in the name of the app. A token that is dead is an answer, not an error; an Error
// is about the app's own credentials, never about the token. Meta documents this call with both in the URL.
// Source: developers.facebook.com, Graph API > Reference > debug_token.
func (c *Client) DebugToken(ctx context.Context, token secret.Text) (info TokenInfo, err error) {
	defer named(&err, "debug token")
	if err := checkSecret("token", token); err != nil {
		return TokenInfo{}, err
	}
	app := secret.New(c.cfg.AppID + "|" + c.cfg.AppSecret.Reveal())
	k := call{
		method: http.MethodGet, path: "debug_token",
		query:  url.Values{"input_token": {token.Reveal()}, "access_token": {app.Reveal()}},
		hidden: []secret.Text{token, app}, private: true, bare: true, asApp: true,
	}
	var got debugAnswer
	if err := c.fetch(ctx, k, &got); err != nil {
		return TokenInfo{}, err
	}
	if err := c.checkDebug(ctx, k, got.Data); err != nil {
		return TokenInfo{}, err
	}
	return tokenInfoOf(got.Data), nil
}

// checkDebug refuses answers that would let a caller erase a good token: no word on validity, a valid token without
// its app, or a temporary error in the place where the reason of death stands.
func (c *Client) checkDebug(ctx context.Context, k call, data *debugData) error {
	switch {
	case data == nil || data.Valid == nil:
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without data.is_valid")
	case bool(*data.Valid) && data.AppID == "":
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx, a valid token without app_id")
	}
	if said := errorOf(data.Error, http.StatusOK); said != nil && said.Temporary() {
		return c.spoken(said, http.Header{}, k)
	}
	return nil
}

func tokenInfoOf(data *debugData) TokenInfo {
	info := TokenInfo{
		AppID: string(data.AppID), Type: TokenType(data.Type), Valid: bool(*data.Valid),
		ExpiresAt: data.Expires.Time, DataAccessExpiresAt: data.DataAccess.Time,
	}
	for _, scope := range data.Scopes.value {
		info.Scopes = append(info.Scopes, string(scope))
	}
	info.TargetIDs = data.targets()
	if said := errorOf(data.Error, http.StatusOK); said != nil {
		info.Valid, info.subcode = false, said.Subcode
	}
	return info
}

// scopeBusiness has businesses for targets, of which there may be hundreds.
const scopeBusiness = "business_management"

func (d *debugData) targets() (ids []string) {
	for _, business := range []bool{false, true} {
		for _, granted := range d.Granular.value {
			if (granted.value.Scope == scopeBusiness) != business {
				continue
			}
			for _, target := range granted.value.TargetIDs.value {
				// Permissions of other products name objects whose ids have another form.
				if isID(string(target)) && !slices.Contains(ids, string(target)) {
					ids = append(ids, string(target))
				}
			}
		}
	}
	return ids
}
