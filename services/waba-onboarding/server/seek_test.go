package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// listed is how often Meta was asked for the numbers of a WABA.
func (b *bundle) listed(waba string) int { return b.meta.Count("GET", "/"+waba+"/phone_numbers") }

func TestANumberThatIsAddedAtMetaIsFoundByItsMessages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c := b.as(org1)
		connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		b.start() // a second replica takes part in the jobs
		id, waba := connected.GetConnectionId(), shared.WABAIDs[0]
		before := b.listed(waba)
		added := b.meta.AddPhone(waba, graphsim.Phone{})
		const said = 20
		b.say(added, said)
		b.say(shared.PhoneNumberIDs[0], 1)
		for _, m := range b.awaitMessages(org1, id, said+1) {
			if phone := m.GetPhoneNumberId(); phone != added && phone != shared.PhoneNumberIDs[0] {
				t.Errorf("a message of %s", phone)
			}
		}
		if n := b.listed(waba) - before; n != 1 {
			t.Errorf("Meta was asked %d times", n)
		}
		eventually(t, "it is registered", func() bool {
			numbers := b.connection(c, id).GetPhoneNumbers()
			return len(numbers) == 2 && numbers[1].GetRegistration() == onboardingv1.PhoneNumber_REGISTERED
		})
		told := b.activities(c, id)
		if !strings.Contains(told, "NUMBER_FOUND waba-onboarding\nCHECKED waba-onboarding\n") {
			t.Errorf("the timeline:\n%s", told)
		}
	})
}

// unheard waits until nobody answered to so many searches, and the time of the next is set.
func (b *bundle) unheard(seeks int, why string) {
	b.t.Helper()
	eventually(b.t, why, func() bool {
		return strings.Contains(b.logs.String(), fmt.Sprintf(`"seeks":%d,"error":"%s`, seeks, why))
	})
}

func TestSilenceDelaysTheSearchForANumberAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id, waba := connected.GetConnectionId(), shared.WABAIDs[0]
	list := "/" + waba + "/phone_numbers"
	throttled := b.meta.AddFault(graphsim.Fault{Method: http.MethodGet, Path: list, Error: &graphsim.FaultError{Code: 80008}, Times: -1})
	added := b.meta.AddPhone(waba, graphsim.Phone{PlatformType: "CLOUD_API"})
	b.say(added, 3)
	b.unheard(1, "META_RATE_LIMITED")
	b.forget(throttled)
	b.link.goAway(true)
	b.pass(65 * time.Second)
	b.unheard(2, "BROKER_UNAVAILABLE")
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_CONNECTED)
	b.link.goAway(false)
	b.pass(6 * time.Minute)
	b.awaitMessages(org1, id, 3)
}

func TestAVerdictThatMeetsTheSearchForANumberShows(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id, waba := connected.GetConnectionId(), shared.WABAIDs[0]
	refused := b.meta.AddFault(graphsim.Fault{Method: http.MethodGet, Path: "/" + waba + "/phone_numbers", Error: &graphsim.FaultError{Code: 200}, Times: -1})
	b.say(b.meta.AddPhone(waba, graphsim.Phone{PlatformType: "CLOUD_API"}), 1)
	eventually(t, "RECONNECT_REQUIRED", func() bool {
		return b.connection(c, id).GetState() == onboardingv1.Connection_RECONNECT_REQUIRED
	})
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_RECONNECT_REQUIRED, "PERMISSION_MISSING")
	b.forget(refused)
	b.pass(65 * time.Second)
	b.awaitMessages(org1, id, 1)
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_CONNECTED)
}
