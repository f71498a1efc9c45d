package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Flows of a SignUp.
const (
	FlowCloudAPI    = "cloud_api"   // the number is for the Cloud API alone and still has to be registered
	FlowCoexistence = "coexistence" // the number stays on the WhatsApp Business app; it is registered already
)

// Kinds of a TokenSpec, as debug_token names them.
const (
	KindSystemUser = "SYSTEM_USER" // what Embedded Signup gives: a business integration system user
	KindUser       = "USER"
)

// How debug_token tells what a token was granted. Meta changes this; access itself is the same in all of them.
const (
	GranularTargets     = "targets"      // each WhatsApp scope with the WABAs as target_ids
	GranularAbsent      = "absent"       // scopes without target_ids
	GranularRenamed     = "renamed"      // whatsapp_business_manage_events in place of …_management (June 2026)
	GranularDuplicated  = "duplicated"   // the same scope in several entries, repeating its targets
	GranularBusinessIDs = "business_ids" // first of all business_management, whose target_ids are no WABAs
	GranularNumeric     = "numeric"      // ids as numbers
)

// SignUp is what a customer does in the signup popup. The zero value is a Cloud API signup with one WABA, one number
// and a system-user token that never expires.
type SignUp struct {
	Flow string `json:"flow,omitempty"`
	// WABAs that the customer makes. nil is one, or none when WABAIDs are given; empty is none.
	WABAs List[WABA] `json:"wabas,omitempty"`
	// Phones of each WABA that brings none itself. nil is one; empty is none.
	Phones List[Phone] `json:"phones,omitempty"`
	// WABAIDs are existing WABAs of one business that the customer shares again: a reconnection.
	WABAIDs []string `json:"wabaIds,omitempty"`
	// AddedPhones are new numbers of the first of WABAIDs.
	AddedPhones List[Phone] `json:"addedPhones,omitempty"`
	// BusinessID is the existing business that signs up; empty is the owner of WABAIDs, or a new one with BusinessName.
	BusinessID   string    `json:"businessId,omitempty"`
	BusinessName string    `json:"businessName,omitempty"`
	Token        TokenSpec `json:"token,omitzero"`
	// Granular is one of the Granular constants; default GranularTargets.
	Granular string `json:"granular,omitempty"`
	// RedirectURI binds the code to the full-page dialog: its exchange must repeat it. A code without it comes from
	// the popup: its exchange must not send one.
	RedirectURI string `json:"redirectUri,omitempty"`
	// PartnerAdded is when the app hears of each WABA by an account_update: Before the code is answered, After it
	// (default, by itself), or Never.
	PartnerAdded string `json:"partnerAdded,omitempty"`
}

// TokenSpec says which token the exchange of the code will give.
type TokenSpec struct {
	Kind      string `json:"kind,omitempty"`      // default KindSystemUser
	ExpiresIn int64  `json:"expiresIn,omitempty"` // seconds from the exchange on; 0 is never
}

// WABA holds what a SignUp may say about a WhatsApp Business Account, under the names of its Graph fields.
type WABA struct {
	ID                         string      `json:"id,omitempty"`
	Name                       string      `json:"name,omitempty"`
	Currency                   string      `json:"currency,omitempty"`
	TimezoneID                 string      `json:"timezone_id,omitempty"`
	Country                    string      `json:"country,omitempty"`
	AccountReviewStatus        string      `json:"account_review_status,omitempty"`
	BusinessVerificationStatus string      `json:"business_verification_status,omitempty"`
	Phones                     List[Phone] `json:"phones,omitempty"`
}

// Phone holds what a SignUp may say about a phone number, under the names of its Graph fields. Meta's enums are open
// sets, so any value is taken.
type Phone struct {
	ID                     string `json:"id,omitempty"`
	DisplayPhoneNumber     string `json:"display_phone_number,omitempty"`
	VerifiedName           string `json:"verified_name,omitempty"`
	CodeVerificationStatus string `json:"code_verification_status,omitempty"`
	PlatformType           string `json:"platform_type,omitempty"`
	NameStatus             string `json:"name_status,omitempty"`
	Status                 string `json:"status,omitempty"`
	QualityRating          string `json:"quality_rating,omitempty"`
	ThroughputLevel        string `json:"throughput_level,omitempty"`
	MessagingLimit         string `json:"whatsapp_business_manager_messaging_limit,omitempty"`
	CanSendMessage         string `json:"can_send_message,omitempty"` // in health_status
	// IsOnBizApp is true for each number of the coexistence flow, and where it is set.
	IsOnBizApp bool `json:"is_on_biz_app,omitempty"`
	// PIN of two-step verification that the number brings along; empty: none is set.
	PIN string `json:"pin,omitempty"`
}

// SignedUp is what the popup would hand to the page.
type SignedUp struct {
	Code           string   `json:"code"`
	WABAIDs        []string `json:"wabaIds"`
	PhoneNumberIDs []string `json:"phoneNumberIds"`
	BusinessID     string   `json:"businessId"`
}

func (su SignUp) withDefaults() SignUp {
	su.Flow = cmp.Or(su.Flow, FlowCloudAPI)
	su.PartnerAdded = cmp.Or(su.PartnerAdded, After)
	su.Granular = cmp.Or(su.Granular, GranularTargets)
	su.Token.Kind = cmp.Or(su.Token.Kind, KindSystemUser)
	if su.WABAs == nil && len(su.WABAIDs) == 0 {
		su.WABAs = make(List[WABA], 1)
	}
	if su.Phones == nil {
		su.Phones = make(List[Phone], 1)
	}
	su.WABAs = slices.Clone(su.WABAs)
	for i := range su.WABAs {
		if su.WABAs[i].Phones == nil {
			su.WABAs[i].Phones = su.Phones
		}
	}
	return su
}

// validate lists all faults of a SignUp with its defaults.
func (su SignUp) validate() error {
	granular := []string{
		GranularTargets, GranularAbsent, GranularRenamed, GranularDuplicated, GranularBusinessIDs, GranularNumeric,
	}
	faults := []error{
		oneOf("flow", su.Flow, FlowCloudAPI, FlowCoexistence),
		oneOf("token.kind", su.Token.Kind, KindSystemUser, KindUser),
		oneOf("granular", su.Granular, granular...),
		oneOf("partnerAdded", su.PartnerAdded, Before, After, Never),
	}
	if su.Token.ExpiresIn < 0 {
		faults = append(faults, fmt.Errorf("token.expiresIn %d: want seconds, 0 for never", su.Token.ExpiresIn))
	}
	if len(su.AddedPhones) > 0 && len(su.WABAIDs) == 0 {
		faults = append(faults, errors.New("addedPhones: want a WABA for them in wabaIds"))
	}
	if su.BusinessName != "" && (su.BusinessID != "" || len(su.WABAIDs) > 0) {
		faults = append(faults, errors.New("businessName: only a new business is given one"))
	}
	for _, w := range append(slices.Clone(su.WABAs), WABA{Phones: su.AddedPhones}) {
		faults = append(faults, w.validate())
	}
	return errors.Join(faults...)
}

func (w WABA) validate() error {
	var faults []error
	if w.ID != "" && !isID(w.ID) {
		faults = append(faults, fmt.Errorf("WABA id %q: want digits", w.ID))
	}
	for _, p := range w.Phones {
		if p.ID != "" && !isID(p.ID) {
			faults = append(faults, fmt.Errorf("phone id %q: want digits", p.ID))
		}
		if p.PIN != "" && !isPIN(p.PIN) {
			faults = append(faults, errors.New("pin: want 6 digits"))
		}
	}
	return errors.Join(faults...)
}

func oneOf(field, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s %q: want one of %q", field, value, allowed)
}
