package server_test

import (
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// wantWorking wants a connection's only number to stand as Meta has it once it is registered.
func wantWorking(t *testing.T, c *onboardingv1.Connection) {
	t.Helper()
	n := c.GetPhoneNumbers()[0]
	if n.GetRegistration() != onboardingv1.PhoneNumber_REGISTERED || n.GetStatus() != "CONNECTED" || n.GetPlatformType() != "CLOUD_API" {
		t.Errorf("the number is %v", n)
	}
}

func TestARegisteredNumberIsShownAsMetaHasItNow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		held := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Hold: graphsim.Before})
		connected, _ := b.connect(c, graphsim.SignUp{})
		eventually(t, "it is being registered", func() bool { return b.meta.Count("POST", "/*/register") == 1 })
		if n := b.connection(c, connected.GetConnectionId()).GetPhoneNumbers()[0]; n.GetStatus() == "CONNECTED" {
			t.Errorf("before its registration the number is %v", n)
		}
		b.meta.Release(held)
		wantWorking(t, b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED))
	})
}

func TestANumberIsShownAsMetaHasItOnceItsPINIsGiven(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{PIN: "246810"}}})
	b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_PIN_REQUIRED)
	resp, err := c.RegisterPhoneNumber(t.Context(), &onboardingv1.RegisterPhoneNumberRequest{
		ConnectionId: connected.GetConnectionId(), PhoneNumberId: shared.PhoneNumberIDs[0], Pin: "246810",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantWorking(t, resp.GetConnection()) // in the very answer
}

func TestARegistrationWhoseAnswerWasLostIsShownAsMetaHasIt(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Drop: graphsim.After})
	connected, _ := b.connect(b.as(org1), graphsim.SignUp{})
	wantWorking(t, b.awaitNumber(b.as(org1), connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED))
}

func TestANumberOfWhichMetaSaysNothingIsRegisteredAndReadLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		held := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Hold: graphsim.Before})
		connected, shared := b.connect(c, graphsim.SignUp{})
		eventually(t, "it is being registered", func() bool { return b.meta.Count("POST", "/*/register") == 1 })
		silent := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/" + shared.PhoneNumberIDs[0], Drop: graphsim.Before, Times: -1})
		b.meta.Release(held)
		registered := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
		if registered.GetPhoneNumbers()[0].GetStatus() == "CONNECTED" {
			t.Errorf("Meta said nothing, and the number is %v", registered.GetPhoneNumbers()[0])
		}
		b.forget(silent)
		b.pass(time.Minute)
		eventually(t, "it is read", func() bool {
			return b.connection(c, connected.GetConnectionId()).GetPhoneNumbers()[0].GetStatus() == "CONNECTED"
		})
		if n := b.number(shared.PhoneNumberIDs[0]); n.RunTime != nil && n.RunTime.Before(b.clock.now()) {
			t.Errorf("it is read again at %s", n.RunTime)
		}
		if n := b.meta.Count("POST", "/*/register"); n != 1 {
			t.Errorf("Meta was told %d times", n)
		}
	})
}
