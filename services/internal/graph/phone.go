package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/whatrack/connect/services/internal/secret"
)

// PhoneNumber is a business phone number. Its words are open sets: Meta adds values, and lists differ between pages.
type PhoneNumber struct {
	ID                     string
	DisplayPhoneNumber     string
	VerifiedName           string
	Status                 string // CONNECTED, PENDING, DISCONNECTED, FLAGGED, RESTRICTED, BANNED…
	QualityRating          string // GREEN, YELLOW, RED, UNKNOWN, NA
	PlatformType           string // CLOUD_API, ON_PREMISE, NOT_APPLICABLE
	IsOnBizApp             bool   // coexistence: used in the WhatsApp Business app too, never registered by us
	CodeVerificationStatus string // VERIFIED, NOT_VERIFIED, EXPIRED
	NameStatus             string // APPROVED, PENDING_REVIEW, DECLINED…
	MessagingLimitTier     string // TIER_250, TIER_2K, TIER_UNLIMITED…
	CanSendMessage         string // AVAILABLE, LIMITED, BLOCKED: the worst of the number, its WABA, the business and our app
}

type phoneAnswer struct {
	ID           id   `json:"id"`
	Display      text `json:"display_phone_number"`
	Name         text `json:"verified_name"`
	Status       text `json:"status"`
	Quality      text `json:"quality_rating"`
	Platform     text `json:"platform_type"`
	OnBizApp     flag `json:"is_on_biz_app"`
	Verification text `json:"code_verification_status"`
	NameStatus   text `json:"name_status"`
	Limit        text `json:"whatsapp_business_manager_messaging_limit"`
	OldLimit     text `json:"messaging_limit_tier"`

	Health loose[health] `json:"health_status"`
}

// health is what Meta says of whether messages get out.
// Source: WhatsApp > Support > Messaging health status.
type health struct {
	CanSendMessage text `json:"can_send_message"`
}

func (p phoneAnswer) number() PhoneNumber {
	limit := p.Limit
	if limit == "" {
		limit = p.OldLimit
	}
	return PhoneNumber{
		ID: string(p.ID), DisplayPhoneNumber: string(p.Display), VerifiedName: string(p.Name), Status: string(p.Status),
		QualityRating: string(p.Quality), PlatformType: string(p.Platform), IsOnBizApp: bool(p.OnBizApp),
		CodeVerificationStatus: string(p.Verification), NameStatus: string(p.NameStatus),
		MessagingLimitTier: string(limit), CanSendMessage: string(p.Health.value.CanSendMessage),
	}
}

// phoneFields names exactly what is read, since Graph fails a request over one field that the version does not have:
// the messaging limit changed its name with v24.0.
// Source: WhatsApp > Messaging limits > Via API.
func (c *Client) phoneFields() string {
	const common = "id,display_phone_number,verified_name,status,quality_rating,platform_type,is_on_biz_app," +
		"code_verification_status,name_status,health_status,"
	major, _, _ := strings.Cut(strings.TrimPrefix(c.cfg.Version, "v"), ".")
	if n, err := strconv.Atoi(major); err == nil && n < 24 {
		return common + "messaging_limit_tier"
	}
	return common + "whatsapp_business_manager_messaging_limit"
}

// PhoneNumbers lists the numbers of a WABA, each once. That it answers proves that the token may use the WABA, which
// no name of a scope does.
// Source: WhatsApp Business Management API > Phone numbers; facebook/openapi, business-messaging-api.
func (c *Client) PhoneNumbers(ctx context.Context, waba string, as Credential) ([]PhoneNumber, error) {
	var numbers []PhoneNumber
	seen := map[id]bool{}
	k := call{
		method: http.MethodGet, id: waba, path: "phone_numbers", bearer: as,
		query: url.Values{"fields": {c.phoneFields()}, "limit": {"100"}},
	}
	err := c.pages(ctx, k, func(raw json.RawMessage) error {
		var got phoneAnswer
		if err := json.Unmarshal(raw, &got); err != nil {
			return fmt.Errorf("phone number: %w", err)
		}
		if got.ID == "" {
			return errors.New("phone number without an id")
		}
		if !seen[got.ID] { // a number may slip from one page to the next
			seen[got.ID] = true
			numbers = append(numbers, got.number())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list phone numbers: %w", err)
	}
	return numbers, nil
}

// PhoneNumber reads one number.
func (c *Client) PhoneNumber(ctx context.Context, phone string, as Credential) (number PhoneNumber, err error) {
	defer named(&err, "read phone number")
	var got phoneAnswer
	k := call{method: http.MethodGet, id: phone, bearer: as, query: url.Values{"fields": {c.phoneFields()}}}
	if err := c.fetch(ctx, k, &got); err != nil {
		return PhoneNumber{}, err
	}
	if err := c.checkAnswered(ctx, k, got.ID); err != nil {
		return PhoneNumber{}, err
	}
	return got.number(), nil
}

// Register registers a phone number at the Cloud API and sets its two-step PIN, or must name the one that is set. Every
// attempt counts against ten in 72 hours. Never for numbers of the WhatsApp Business app.
// Source: WhatsApp > Cloud API > Reference > Registration.
func (c *Client) Register(ctx context.Context, phone string, pin secret.Text, as Credential) (err error) {
	defer named(&err, "register phone number")
	if len(pin.Reveal()) != 6 || !isID(pin.Reveal()) {
		return fmt.Errorf("%w: a PIN has six digits", ErrInvalidInput)
	}
	body := []byte(`{"messaging_product":"whatsapp","pin":"` + pin.Reveal() + `"}`)
	return c.succeed(ctx, call{
		method: http.MethodPost, id: phone, path: "register", json: body, bearer: as, hidden: []secret.Text{pin},
	})
}
