package graphsim

import (
	"slices"
	"time"
)

// world is what Meta remembers, and what the state file holds. Objects refer to one another by id, so that it is
// plain JSON.
type world struct {
	Businesses map[string]*business `json:"businesses"`
	WABAs      map[string]*waba     `json:"wabas"`
	Phones     map[string]*phone    `json:"phones"`
	Tokens     map[string]*token    `json:"tokens"` // by access token
	Codes      map[string]*code     `json:"codes"`  // by authorization code
	Offset     time.Duration        `json:"offset"` // how far the simulated clock is ahead

	Webhook      WebhookSettings     `json:"webhook,omitzero"`
	Behaviors    map[string]Behavior `json:"behaviors,omitempty"` // by phone number id; "" is every other number's
	Dialog       Dialog              `json:"dialog,omitzero"`
	Outbox       []*parcel           `json:"outbox,omitempty"` // webhooks that are still to be sent
	LastDelivery int64               `json:"lastDelivery,omitempty"`
}

func newWorld() *world {
	return &world{
		Businesses: map[string]*business{},
		WABAs:      map[string]*waba{},
		Phones:     map[string]*phone{},
		Tokens:     map[string]*token{},
		Codes:      map[string]*code{},
		Behaviors:  map[string]Behavior{},
	}
}

// business is a customer's Business Manager, or the operator's own.
type business struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// UserID is the app-scoped id of the system user that tokens of this business belong to.
	UserID string `json:"userId"`
}

// waba is a WhatsApp Business Account.
type waba struct {
	WABA
	BusinessID string   `json:"businessId"`
	PhoneIDs   []string `json:"phoneIds"`
	Subscribed bool     `json:"subscribed"`
	// Override is the callback that the WABA has in place of the app's.
	Override string `json:"override,omitempty"`
	// Removed: the customer ended the partnership. Sharing the WABA again begins anew.
	Removed    bool      `json:"removed,omitempty"`
	CreateTime time.Time `json:"createTime"`
}

// phone is a phone number of a WABA.
type phone struct {
	Phone
	WABAID      string    `json:"wabaId"`
	OnboardTime time.Time `json:"onboardTime"`
	// RegisterTimes are the registration attempts that count against the limit of ten in 72 hours.
	RegisterTimes []time.Time `json:"registerTimes,omitempty"`
	LockedUntil   time.Time   `json:"lockedUntil,omitzero"`
	// Synced are the sync types that smb_app_data was asked for, each once.
	Synced []string `json:"synced,omitempty"`
}

// code is an authorization code and what its exchange will give.
type code struct {
	BusinessID string    `json:"businessId"`
	WABAIDs    []string  `json:"wabaIds"`
	Token      TokenSpec `json:"token"`
	Granular   string    `json:"granular"`
	// RedirectURI is set when the code came from the full-page dialog: the exchange must repeat it.
	RedirectURI string    `json:"redirectUri,omitempty"`
	IssueTime   time.Time `json:"issueTime"`
	Used        bool      `json:"used"`
}

// token is a business integration system user's or a user's access token.
type token struct {
	Kind       string    `json:"kind"`
	BusinessID string    `json:"businessId"`
	UserID     string    `json:"userId"`
	WABAIDs    []string  `json:"wabaIds"`
	Granular   string    `json:"granular"`
	IssueTime  time.Time `json:"issueTime"`
	ExpireTime time.Time `json:"expireTime,omitzero"` // zero: never
	// DeadSubcode is why Meta refuses the token, 0 while it does not.
	DeadSubcode int `json:"deadSubcode,omitempty"`
}

func (t *token) reads(wabaID string) bool { return slices.Contains(t.WABAIDs, wabaID) }

// subcode tells why the token is no longer valid at a time, 0 when it is.
func (t *token) subcode(now time.Time) int {
	if t.DeadSubcode != 0 {
		return t.DeadSubcode
	}
	if !t.ExpireTime.IsZero() && !now.Before(t.ExpireTime) {
		return subcodeExpired
	}
	return 0
}
