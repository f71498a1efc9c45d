package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// WABA is a WhatsApp Business Account.
type WABA struct {
	ID              string
	Name            string
	OwnerBusinessID string // empty where Meta does not tell
}

type wabaAnswer struct {
	ID    id           `json:"id"`
	Name  text         `json:"name"`
	Owner loose[owner] `json:"owner_business_info"`
}

type owner struct {
	ID id `json:"id"`
}

// WABA reads an account.
// Source: facebook-business-sdk-codegen, api_specs/specs/WhatsAppBusinessAccount.json.
func (c *Client) WABA(ctx context.Context, waba string, as Credential) (account WABA, err error) {
	defer named(&err, "read WABA")
	var got wabaAnswer
	k := call{
		method: http.MethodGet, id: waba, bearer: as,
		query: url.Values{"fields": {"id,name,owner_business_info{id}"}},
	}
	if err := c.fetch(ctx, k, &got); err != nil {
		return WABA{}, err
	}
	if err := c.checkAnswered(ctx, k, got.ID); err != nil {
		return WABA{}, err
	}
	return WABA{ID: string(got.ID), Name: string(got.Name), OwnerBusinessID: string(got.Owner.value.ID)}, nil
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

// changeSubscription takes {"success": false} for Meta's word: whether we are subscribed is a matter of yes or no.
func (c *Client) changeSubscription(ctx context.Context, method, waba string, as Credential) error {
	k := call{method: method, id: waba, path: "subscribed_apps", bearer: as}
	var got struct {
		Success *flag `json:"success"`
	}
	err := c.fetch(ctx, k, &got)
	switch {
	case err != nil:
	case got.Success == nil:
		err = c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without success")
	case !bool(*got.Success):
		err = &Error{Status: http.StatusOK, Message: `Meta answered {"success": false}`}
	}
	if err != nil {
		return fmt.Errorf("%s subscribed_apps: %w", method, err)
	}
	return nil
}

// SubscribedApps lists the ids of the apps that get the WABA's webhooks. Other partners' apps are among them.
func (c *Client) SubscribedApps(ctx context.Context, waba string, as Credential) ([]string, error) {
	var ids []string
	k := call{method: http.MethodGet, id: waba, path: "subscribed_apps", bearer: as}
	err := c.pages(ctx, k, func(raw json.RawMessage) error {
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
	if err != nil {
		return nil, fmt.Errorf("list subscribed apps: %w", err)
	}
	return ids, nil
}

// checkAnswered refuses an answer about another object than the one that was asked for.
func (c *Client) checkAnswered(ctx context.Context, k call, got id) error {
	if string(got) != k.id {
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx about another id than the one asked for")
	}
	return nil
}
