package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestWhatIsUnderstoodOfAnAccountUpdateCounts(t *testing.T) {
	t.Parallel()
	until := time.Unix(1999999999, 0).UTC()
	removed := store.AccountFact{Event: "PARTNER_REMOVED", Reason: "PARTNER_REMOVED", EndsAccess: true}
	disabled := store.AccountFact{
		Event: "DISABLED_UPDATE", Reason: "ACCOUNT_DISABLED", Matter: store.MatterBan, Word: store.Word{Reason: "ACCOUNT_DISABLED"},
	}
	restricted := func(until *time.Time) store.AccountFact {
		return store.AccountFact{
			Event: "ACCOUNT_RESTRICTION", Reason: "ACCOUNT_RESTRICTED", Matter: store.MatterRestriction,
			Word: store.Word{Reason: "ACCOUNT_RESTRICTED", Until: until},
		}
	}
	for value, want := range map[string]store.AccountFact{
		`"ban_info":[],"event":"PARTNER_REMOVED"`:                                                           removed,
		`"restriction_info":{"expiration":1},"waba_info":[],"event":"PARTNER_REMOVED"`:                      removed,
		`"waba_info":{"partner_app_id":{}},"event":"PARTNER_REMOVED"`:                                       removed,
		`"ban_info":{"waba_ban_state":["DISABLE"]},"event":"DISABLED_UPDATE"`:                               disabled,
		`"ban_info":"DISABLE","event":"DISABLED_UPDATE"`:                                                    disabled,
		`"restriction_info":[{"expiration":1999999999}],"event":"ACCOUNT_RESTRICTION"`:                      restricted(&until),
		`"restriction_info":[{"expiration":"1999999999"}],"ban_info":7,"event":"ACCOUNT_RESTRICTION"`:       restricted(&until),
		`"restriction_info":[{"expiration":"never"}],"event":"ACCOUNT_RESTRICTION"`:                         restricted(nil),
		`"restriction_info":[{"expiration":253402300800}],"event":"ACCOUNT_RESTRICTION"`:                    restricted(nil),
		`"restriction_info":[{"expiration":1999999999},{"expiration":{}}],"event":"ACCOUNT_RESTRICTION"`:    restricted(nil),
		`"restriction_info":{"expiration":1999999999},"event":"ACCOUNT_RESTRICTION"`:                        restricted(nil),
		`"restriction_info":[{"expiration":1},{"expiration":1999999999},"x"],"event":"ACCOUNT_RESTRICTION"`: restricted(nil),
		`"restriction_info":[{"restriction_type":7,"expiration":1999999999}],"event":"ACCOUNT_RESTRICTION"`: restricted(&until),
	} {
		effect := Reader{}.Read(store.Change{Field: "account_update", Value: []byte(`{` + value + `}`)})
		if effect.Account != nil {
			effect.Account.Details = nil // below
		}
		if diff := cmp.Diff(&want, effect.Account); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}

func TestWhatMetaSaysOfItsNewsIsKept(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]map[string]string{
		`"event":"PARTNER_REMOVED"`: nil,
		`"event":"PARTNER_REMOVED","disconnection_info":{"reason":"PRIMARY_INACTIVITY","initiated_by":"SYSTEM"}`: {
			"disconnectionReason": "PRIMARY_INACTIVITY", "initiatedBy": "SYSTEM",
		},
		`"event":"PARTNER_REMOVED","disconnection_info":{"reason":7,"initiated_by":"\u0000` + strings.Repeat("x", 300) + `"}`: {
			"initiatedBy": strings.Repeat("x", 256),
		},
		`"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"ADULT"}`: {"violationType": "ADULT"},
		`"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"April 17, 2025"}`: {
			"banState": "SCHEDULE_FOR_DISABLE", "banDate": "April 17, 2025",
		},
		`"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"A","expiration":1},{"restriction_type":"B","expiration":1999999999}]`: {
			"restrictionTypes": "A, B", "restrictedUntil": "2033-05-18T03:33:19Z",
		},
	} {
		effect := Reader{}.Read(store.Change{Field: "account_update", Value: []byte(`{` + value + `}`)})
		if diff := cmp.Diff(want, effect.Account.Details); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
	name := Reader{}.Read(store.Change{Field: "phone_number_name_update", Value: []byte(`{"decision":"REJECTED","rejection_reason":"NAME_EMPLOYEE_ONLY"}`)})
	if got := name.Number.Details["rejectionReason"]; got != "NAME_EMPLOYEE_ONLY" {
		t.Errorf("a name was rejected for %q", got)
	}
}

func TestWhatIsUnderstoodOfANumberCounts(t *testing.T) {
	t.Parallel()
	for value, limit := range map[string]string{
		`"display_phone_number":"+1 555-078-3881","current_limit":"TIER_1K"`:                                         "TIER_1K",
		`"display_phone_number":15550783881,"current_limit":"TIER_1K"`:                                               "TIER_1K",
		`"current_limit":[],"max_daily_conversations_per_business":"TIER_2K","display_phone_number":"1 555 0783881"`: "TIER_2K",
	} {
		number := Reader{}.Read(store.Change{Field: "phone_number_quality_update", Value: []byte(`{` + value + `,"event":"FLAGGED"}`)}).Number
		if number == nil || number.Digits != "15550783881" || number.Status == nil || number.MessagingLimit == nil || *number.MessagingLimit != limit {
			t.Errorf("%s: %+v", value, number)
		}
	}
	for _, value := range []string{`"display_phone_number":15550783881`, `"requested_verified_name":[],"display_phone_number":"15550783881"`} {
		number := Reader{}.Read(store.Change{Field: "phone_number_name_update", Value: []byte(`{` + value + `,"decision":"APPROVED"}`)}).Number
		if number == nil || number.Digits != "15550783881" || !number.Approved {
			t.Errorf("%s: %+v", value, number)
		}
	}
	odd := Reader{}.Read(store.Change{Field: "account_review_update", Value: []byte(`{"reason":{},"decision":"REJECTED"}`)})
	if odd.Account == nil || odd.Account.Matter != store.MatterReview {
		t.Errorf("a review: %+v", odd.Account)
	}
}

func TestWhatBefallsAnotherAppIsNotedAndNoMore(t *testing.T) {
	t.Parallel()
	ours := &store.AccountFact{Event: "PARTNER_APP_UNINSTALLED", Reason: "TOKEN_INVALID", EndsAccess: true}
	removed := &store.AccountFact{Event: "PARTNER_REMOVED", Reason: "PARTNER_REMOVED", EndsAccess: true}
	for value, want := range map[string]*store.AccountFact{
		`"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"1","partner_app_id":"4711"}`: ours,
		`"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"1","partner_app_id":4711}`:   ours,
		`"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"1"}`:                         ours,
		`"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"1","partner_app_id":"4712"}`: {Event: "PARTNER_APP_UNINSTALLED_OF_ANOTHER_APP"},
		`"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"1","partner_app_id":4712}`:   {Event: "PARTNER_APP_UNINSTALLED_OF_ANOTHER_APP"},
		`"event":"PARTNER_APP_INSTALLED","waba_info":{"waba_id":"1","partner_app_id":"4712"}`:   {Event: "PARTNER_APP_INSTALLED_OF_ANOTHER_APP"},
		`"event":"PARTNER_REMOVED","waba_info":{"waba_id":"1","partner_app_id":"4712"}`:         {Event: "PARTNER_REMOVED_OF_ANOTHER_APP"},
		`"event":"PARTNER_REMOVED","waba_info":{"waba_id":"1"}`:                                 removed,
	} {
		effect := Reader{AppID: "4711"}.Read(store.Change{Field: "account_update", Value: []byte(`{` + value + `}`)})
		if diff := cmp.Diff(want, effect.Account); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}
