package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/whatrack/connect/services/internal/secret"
)

// WABA is a WhatsApp Business Account.
type WABA struct {
	ID                  string
	Name                string
	AccountReviewStatus string // PENDING, APPROVED, REJECTED, and what Meta adds
	OwnerBusinessID     string // empty where Meta does not tell
	OwnerBusinessName   string
}

type wabaAnswer struct {
	ID     id           `json:"id"`
	Name   text         `json:"name"`
	Review text         `json:"account_review_status"`
	Owner  loose[owner] `json:"owner_business_info"`
}

type owner struct {
	ID   id   `json:"id"`
	Name text `json:"name"`
}

// WABA reads an account.
// Source: facebook-business-sdk-codegen, api_specs/specs/WhatsAppBusinessAccount.json.
func (c *Client) WABA(ctx context.Context, waba string, as Credential) (WABA, error) {
	var got wabaAnswer
	k := call{
		method: http.MethodGet, path: waba, bearer: as,
		query: url.Values{"fields": {"id,name,account_review_status,owner_business_info{id,name}"}},
	}
	err := checkBearer(waba, as.Token)
	if err == nil {
		err = c.fetch(ctx, k, &got)
	}
	if err == nil {
		err = c.checkAnswered(ctx, k, string(got.ID), waba)
	}
	if err != nil {
		return WABA{}, fmt.Errorf("read WABA: %w", err)
	}
	return WABA{
		ID: string(got.ID), Name: string(got.Name), AccountReviewStatus: string(got.Review),
		OwnerBusinessID: string(got.Owner.value.ID), OwnerBusinessName: string(got.Owner.value.Name),
	}, nil
}

// Subscribe subscribes the token's app to the webhooks of a WABA. It may be repeated; without a body, as here, it also
// takes away an override of the callback URL.
// Source: WhatsApp > Solution providers > Manage webhooks.
func (c *Client) Subscribe(ctx context.Context, waba string, as Credential) error {
	return c.changeSubscription(ctx, http.MethodPost, waba, as)
}

// Unsubscribe ends the app's subscription.
func (c *Client) Unsubscribe(ctx context.Context, waba string, as Credential) error {
	return c.changeSubscription(ctx, http.MethodDelete, waba, as)
}

func (c *Client) changeSubscription(ctx context.Context, method, waba string, as Credential) error {
	err := checkBearer(waba, as.Token)
	if err == nil {
		err = c.succeed(ctx, call{method: method, path: waba + "/subscribed_apps", bearer: as})
	}
	if err != nil {
		return fmt.Errorf("%s subscribed_apps: %w", method, err)
	}
	return nil
}

// SubscribedApps lists the ids of the apps that get the WABA's webhooks. Other partners' apps are among them.
func (c *Client) SubscribedApps(ctx context.Context, waba string, as Credential) ([]string, error) {
	var ids []string
	k := call{method: http.MethodGet, path: waba + "/subscribed_apps", query: url.Values{}, bearer: as}
	err := checkBearer(waba, as.Token)
	if err == nil {
		err = c.pages(ctx, k, func(raw json.RawMessage) error {
			var app struct {
				Data struct {
					ID id `json:"id"`
				} `json:"whatsapp_business_api_data"`
			}
			if err := json.Unmarshal(raw, &app); err != nil {
				return fmt.Errorf("app: %w", err)
			}
			if app.Data.ID != "" {
				ids = append(ids, string(app.Data.ID))
			}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list subscribed apps: %w", err)
	}
	return ids, nil
}

// Register registers a phone number at the Cloud API and sets its two-step PIN, or must name the one that is set. Every
// attempt counts against ten in 72 hours. Never for numbers of the WhatsApp Business app.
// Source: WhatsApp > Cloud API > Reference > Registration.
func (c *Client) Register(ctx context.Context, phone string, pin secret.Text, as Credential) error {
	err := checkBearer(phone, as.Token)
	if err == nil && (len(pin.Reveal()) != 6 || !isID(pin.Reveal())) {
		err = fmt.Errorf("%w: a PIN has six digits", ErrInvalidInput)
	}
	if err == nil {
		body := []byte(`{"messaging_product":"whatsapp","pin":"` + pin.Reveal() + `"}`)
		k := call{method: http.MethodPost, path: phone + "/register", json: body, bearer: as, hidden: []secret.Text{pin}}
		err = c.succeed(ctx, k)
	}
	if err != nil {
		return fmt.Errorf("register phone number: %w", err)
	}
	return nil
}

// succeed makes a call that answers {"success": true}. Anything else, false as well, is no verdict.
func (c *Client) succeed(ctx context.Context, k call) error {
	var got struct {
		Success flag `json:"success"`
	}
	if err := c.fetch(ctx, k, &got); err != nil {
		return err
	}
	if !got.Success {
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without success")
	}
	return nil
}

func checkBearer(id string, token secret.Text) error {
	if !isID(id) {
		return fmt.Errorf("%w: an id has 1 to %d digits", ErrInvalidInput, maxIDLen)
	}
	return checkSecret("token", token)
}

// checkAnswered refuses an answer about another object than the one that was asked for.
func (c *Client) checkAnswered(ctx context.Context, k call, got, want string) error {
	if got != want {
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx about another id than the one asked for")
	}
	return nil
}
