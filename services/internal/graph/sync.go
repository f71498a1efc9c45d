package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// SyncKind is a part of what a number of the WhatsApp Business app brings along.
type SyncKind string

// The parts, in the order in which Meta wants to be asked.
const (
	SyncContacts SyncKind = "smb_app_state_sync"
	SyncHistory  SyncKind = "history"
)

// CodeSyncLate is Graph's code for a number that was onboarded more than 24 hours ago.
// Source: WhatsApp > Support > Error codes.
const CodeSyncLate = 2593108

// RequestSync asks Meta to hand out a part of what a coexistence number brings along, and answers the id of the request,
// for Meta's support. What it hands out arrives by webhook, later or never. Once for each part and onboarding: the second
// call is refused with 2593107.
// Source: WhatsApp > Embedded Signup > Onboarding business app users.
func (c *Client) RequestSync(ctx context.Context, phone string, kind SyncKind, as Credential) (requestID string, err error) {
	defer named(&err, "request sync")
	if kind != SyncContacts && kind != SyncHistory {
		return "", fmt.Errorf("%w: no kind of sync", ErrInvalidInput)
	}
	var got struct {
		RequestID text `json:"request_id"`
	}
	k := call{
		method: http.MethodPost, id: phone, path: "smb_app_data", bearer: as, once: true,
		json: []byte(`{"messaging_product":"whatsapp","sync_type":"` + string(kind) + `"}`),
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if err := c.fetch(ctx, k, &got); err != nil {
		return "", err
	}
	if got.RequestID == "" {
		return "", c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without a request_id")
	}
	return string(got.RequestID), nil
}

// SyncNotDone tells of an error of RequestSync that Meta did nothing, so that it may be asked again: nothing was sent, the
// calls are throttled, or it was the token that was refused.
func SyncNotDone(err error) bool {
	var said *Error
	if errors.As(err, &said) {
		return said.Status < http.StatusInternalServerError && (said.RateLimited() || said.TokenDead())
	}
	return errors.Is(err, ErrNotSent) || errors.Is(err, ErrInvalidInput)
}
