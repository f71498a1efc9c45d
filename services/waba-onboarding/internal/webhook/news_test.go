package webhook

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestWhatBefallsAnotherAppIsNotedAndNoMore(t *testing.T) {
	t.Parallel()
	ours := &store.AccountFact{Event: "PARTNER_APP_UNINSTALLED", Reason: "TOKEN_INVALID", EndsAccess: true}
	removed := &store.AccountFact{Event: "PARTNER_REMOVED", Reason: "WABA_NOT_SHARED", EndsAccess: true}
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
