package server_test

import (
	"fmt"
	"slices"
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestANumberThatIsNotVerifiedIsNoGoodNumber(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, _ := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{CodeVerificationStatus: "NOT_VERIFIED"}}})
	wantConnection(t, connected, onboardingv1.Connection_ATTENTION, "PHONE_NUMBER_NOT_VERIFIED")
	if n := b.meta.Count("POST", "/*/register"); n != 0 {
		t.Errorf("Meta was told %d times to register it", n)
	}
}

func TestANumberThatMetaLetsNothingOutOfIsNotCalledWell(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		connected, _ := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{CanSendMessage: "BLOCKED"}, {CanSendMessage: "LIMITED"}}})
		wantConnection(t, connected, onboardingv1.Connection_ATTENTION, "SENDING_BLOCKED")
		if numbers := connected.GetPhoneNumbers(); numbers[0].GetCanSendMessage() != "BLOCKED" || numbers[1].GetCanSendMessage() != "LIMITED" {
			t.Errorf("it says %v", numbers)
		}
	})
}

func TestANumberThatIsAddedLaterIsRegisteredAfterTheNextCheck(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		connected, shared := b.connect(c, graphsim.SignUp{})
		id := connected.GetConnectionId()
		b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
		b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs, AddedPhones: graphsim.List[graphsim.Phone]{{}}})
		if _, err := b.check(c, id); err != nil {
			t.Fatal(err)
		}
		eventually(t, "both are registered", func() bool {
			numbers := b.connection(c, id).GetPhoneNumbers()
			return len(numbers) == 2 && !slices.ContainsFunc(numbers, func(n *onboardingv1.PhoneNumber) bool {
				return n.GetRegistration() != onboardingv1.PhoneNumber_REGISTERED
			})
		})
	})
}

func TestANumberThatMetaHasNoLongerIsRegisteredAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{})
	id, phone := connected.GetConnectionId(), shared.PhoneNumberIDs[0]
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
	calls, pins := b.meta.Count("POST", "/*/register"), b.pins()
	number := fmt.Sprintf(`{"id":%q,"display_phone_number":"+1 631-555-5555","code_verification_status":"VERIFIED","platform_type":"NOT_APPLICABLE"}`, phone)
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/" + shared.WABAIDs[0] + "/phone_numbers", Body: []byte(`{"data":[` + number + `]}`)})
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/" + phone, Body: []byte(number)})
	if _, err := b.check(c, id); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Meta is told", func() bool { return b.meta.Count("POST", "/*/register") == calls+1 })
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
	if now := b.pins(); !slices.Equal(now, pins) {
		t.Errorf("its PIN changed: %v, %v", pins, now)
	}
}
