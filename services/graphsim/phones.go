package graphsim

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPage = 25
	maxPage     = 100

	cursorPrefix = "AQHS" // so that a cursor looks like Meta's, which begin with QVFIU
)

// page is one page of an edge.
type page struct {
	Data   []map[string]any `json:"data"`
	Paging *paging          `json:"paging,omitempty"`
}

// paging leads to the neighbouring pages. The cursors are there on the last page too; only next tells that more
// follows.
type paging struct {
	Cursors  cursors `json:"cursors"`
	Next     string  `json:"next,omitempty"`
	Previous string  `json:"previous,omitempty"`
}

type cursors struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// phoneNumbers serves GET /{waba}/phone_numbers.
func (c *call) phoneNumbers(account *waba) (any, *Error) {
	from, to, err := c.pageOf(account.PhoneIDs)
	if err != nil {
		return nil, err
	}
	answer := page{Data: []map[string]any{}}
	for _, id := range account.PhoneIDs[from:to] {
		number := c.phoneNode(c.world.Phones[id])
		number.defaults = []string{
			"id", "verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type",
			"throughput", "last_onboarded_time",
		}
		item, err := number.selectFields(c.params)
		if err != nil {
			return nil, err
		}
		answer.Data = append(answer.Data, item)
	}
	if len(answer.Data) == 0 {
		return answer, nil
	}
	answer.Paging = &paging{Cursors: cursors{cursorOf(account.PhoneIDs[from]), cursorOf(account.PhoneIDs[to-1])}}
	if to < len(account.PhoneIDs) {
		answer.Paging.Next = c.pageLink("after", answer.Paging.Cursors.After)
	}
	if from > 0 {
		answer.Paging.Previous = c.pageLink("before", answer.Paging.Cursors.Before)
	}
	return answer, nil
}

// pageOf finds the bounds of the page that limit, after and before ask for.
func (c *call) pageOf(ids []string) (from, to int, err *Error) {
	limit := defaultPage
	if text := c.params.get("limit"); text != "" {
		n, parseErr := strconv.Atoi(text)
		if parseErr != nil || n < 1 {
			return 0, 0, paramError("Param limit must be a positive integer")
		}
		limit = min(n, maxPage)
	}
	if after := c.params.get("after"); after != "" {
		at := slices.Index(ids, idOfCursor(after))
		if at < 0 {
			return 0, 0, paramError("Invalid cursors values")
		}
		return at + 1, min(at+1+limit, len(ids)), nil
	}
	if before := c.params.get("before"); before != "" {
		at := slices.Index(ids, idOfCursor(before))
		if at < 0 {
			return 0, 0, paramError("Invalid cursors values")
		}
		return max(0, at-limit), at, nil
	}
	return 0, min(limit, len(ids)), nil
}

// pageLink is the URL of a neighbouring page. As Meta's does, it repeats the access token in its query: a client that
// follows or logs it gives the token away, and a simulator that left it out would hide that.
func (c *call) pageLink(direction, cursor string) string {
	query := url.Values{"access_token": {c.req.bearer}}
	for name, value := range c.params {
		query.Set(name, value.text)
	}
	query.Del("after")
	query.Del("before")
	query.Del("appsecret_proof")
	query.Set(direction, cursor)
	return c.req.origin + "/" + c.req.version + c.req.path + "?" + query.Encode()
}

func cursorOf(id string) string { return base64.StdEncoding.EncodeToString([]byte(cursorPrefix + id)) }

func idOfCursor(cursor string) string {
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(string(raw), cursorPrefix)
}

// phoneNode has the readable fields of a phone number. nil: the type has the field, this number has no value.
// Sources: facebook/openapi, business-messaging-api; fields in use by public clients.
func (c *call) phoneNode(number *phone) node {
	account := c.world.WABAs[number.WABAID]
	fields := map[string]any{
		"id": number.ID, "display_phone_number": number.DisplayPhoneNumber, "verified_name": number.VerifiedName,
		"status": number.Status, "quality_rating": number.QualityRating, "country_code": "BR", "country_dial_code": "55",
		"code_verification_status": number.CodeVerificationStatus, "account_mode": "LIVE",
		"platform_type": number.PlatformType, "host_platform": number.PlatformType, "name_status": number.NameStatus,
		"new_name_status": "NONE", "is_on_biz_app": number.IsOnBizApp, "is_pin_enabled": number.PIN != "",
		"throughput":            map[string]any{"level": number.ThroughputLevel},
		"last_onboarded_time":   number.OnboardTime.UTC().Format("2006-01-02T15:04:05-0700"),
		"messaging_limit_tier":  number.MessagingLimit,
		"health_status":         c.health(account, number),
		"webhook_configuration": c.callbacksOf(account), "certificate": nil, "username": nil, "unified_cert_status": nil,
		"is_official_business_account": false, "is_preverified_number": false, "search_visibility": "NON_VISIBLE",
		"whatsapp_business_manager_messaging_limit": number.MessagingLimit,
	}
	return node{
		typeName: "WhatsAppBusinessPhoneNumber", fields: fields,
		defaults: []string{"id", "display_phone_number", "verified_name", "quality_rating", "code_verification_status"},
	}
}

// health is the health_status of a WABA, or of one of its numbers: whether each part lets messages out, and the worst
// of them for the whole.
func (c *call) health(account *waba, number *phone) map[string]any {
	const available = "AVAILABLE"
	entity := func(kind, id, can string) map[string]any {
		return map[string]any{"entity_type": kind, "id": id, "can_send_message": can}
	}
	entities := []map[string]any{
		entity("WABA", account.ID, available), entity("BUSINESS", account.BusinessID, available),
		entity("APP", c.sim.cfg.AppID, available),
	}
	overall := available
	if number != nil {
		overall = number.CanSendMessage
		entities = slices.Insert(entities, 0, entity("PHONE_NUMBER", number.ID, overall))
	}
	return map[string]any{"can_send_message": overall, "entities": entities}
}

// callbacksOf tells where webhooks of a WABA's numbers go, nil when nobody wants any.
func (c *call) callbacksOf(account *waba) any {
	callbacks := map[string]any{}
	if c.world.Webhook.CallbackURL != "" {
		callbacks["application"] = c.world.Webhook.CallbackURL
	}
	if account.Override != "" {
		callbacks["whatsapp_business_account"] = account.Override
	}
	if len(callbacks) == 0 {
		return nil
	}
	return callbacks
}
