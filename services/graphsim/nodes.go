package graphsim

import "maps"

// object is what an id names: exactly one field is set.
type object struct {
	waba     *waba
	phone    *phone
	business *business
	app      bool
}

func (o object) nodeType() string {
	switch {
	case o.waba != nil:
		return "WhatsAppBusinessAccount"
	case o.phone != nil:
		return "WhatsAppBusinessPhoneNumber"
	case o.business != nil:
		return "Business"
	default:
		return "Application"
	}
}

// object finds what an id names, if the caller's token may see it. A token sees the WABAs it was granted, their
// numbers and its own business; names of scopes do not matter, since Meta changes those without changing access.
func (c *call) object(id string) (object, *Error) {
	who, err := c.authenticate()
	if err != nil {
		return object{}, err
	}
	if id == c.sim.cfg.AppID {
		return object{app: true}, nil
	}
	t := who.token
	if t == nil { // the app's own token belongs to no business
		return object{}, noObject(c.req.method, id)
	}
	if account := c.world.WABAs[id]; account != nil && t.reads(id) {
		return object{waba: account}, nil
	}
	if number := c.world.Phones[id]; number != nil && t.reads(number.WABAID) {
		return object{phone: number}, nil
	}
	if owner := c.world.Businesses[id]; owner != nil && t.BusinessID == id {
		return object{business: owner}, nil
	}
	return object{}, noObject(c.req.method, id)
}

// node serves GET /{id}.
func (c *call) node(id string) (any, *Error) {
	found, err := c.object(id)
	if err != nil {
		return nil, err
	}
	var all node
	switch {
	case found.waba != nil:
		all = c.wabaNode(found.waba)
	case found.phone != nil:
		all = c.phoneNode(found.phone)
	case found.business != nil:
		all = node{
			typeName: found.nodeType(), defaults: []string{"id", "name"},
			fields: map[string]any{"id": id, "name": found.business.Name},
		}
	default:
		all = node{
			typeName: found.nodeType(), defaults: []string{"id", "name", "link"},
			fields: map[string]any{"id": id, "name": appName, "link": c.appLink()},
		}
	}
	return all.selectFields(c.params)
}

// me serves the token's own user. Of a business token it proves which customer's portfolio the token belongs to.
func (c *call) me() (any, *Error) {
	const noUser = "An active access token must be used to query information about the current user."
	if c.params.get("access_token") == "" && c.req.bearer == "" {
		return nil, &Error{Code: 2500, Type: typeOAuth, Message: noUser}
	}
	who, err := c.authenticate()
	if err != nil {
		return nil, err
	}
	if who.token == nil {
		return nil, &Error{Code: 2500, Type: typeOAuth, Message: noUser}
	}
	fields := map[string]any{"id": who.token.UserID, "name": "Simulated System User"}
	typeName := "User"
	if who.token.Kind == KindSystemUser {
		typeName = "SystemUser"
		fields["client_business_id"] = who.token.BusinessID
	}
	all := node{typeName: typeName, defaults: []string{"id", "name"}, fields: fields}
	return all.selectFields(c.params)
}

// wabaNode has the readable fields of a WABA that the simulator knows.
// Source: facebook-business-sdk-codegen, api_specs/specs/WhatsAppBusinessAccount.json.
func (c *call) wabaNode(account *waba) node {
	owner := c.world.Businesses[account.BusinessID]
	ownerInfo := map[string]any{"id": owner.ID, "name": owner.Name}
	fields := map[string]any{
		"id": account.ID, "name": account.Name, "currency": account.Currency, "timezone_id": account.TimezoneID,
		"country": account.Country, "account_review_status": account.AccountReviewStatus,
		"business_verification_status": account.BusinessVerificationStatus,
		"message_template_namespace":   "ba30dd89_" + account.ID,
		"creation_time":                account.CreateTime.Unix(),
		"owner_business":               maps.Clone(ownerInfo), "owner_business_info": ownerInfo,
		"ownership_type": "CLIENT_OWNED", "status": "ACTIVE", "is_shared_with_partners": true,
		"health_status": c.health(account, nil), "whatsapp_business_manager_messaging_limit": "TIER_250",
	}
	return node{
		typeName: "WhatsAppBusinessAccount", fields: fields,
		defaults: []string{"id", "name", "currency", "timezone_id", "message_template_namespace"},
	}
}

func (c *call) appLink() string { return "https://www.facebook.com/games/?app_id=" + c.sim.cfg.AppID }
