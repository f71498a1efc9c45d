package server_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// pins are the fingerprints of the PINs that Meta saw, each once.
func (b *bundle) pins() []string {
	seen := []string{}
	for _, r := range b.meta.Journal() {
		if pin, ok := r.Parameters["pin"]; ok {
			seen = append(seen, pin)
		}
	}
	slices.Sort(seen)
	return slices.Compact(seen)
}

func (b *bundle) number(phone string) (n store.PhoneNumber) {
	b.t.Helper()
	err := b.db.Read(b.t.Context(), func(tx *gorm.DB) error {
		return tx.Where("phone_number_id = ?", phone).Take(&n).Error
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// register asks for a registration and answers its fault.
func (b *bundle) register(c client, connection, phone, pin string) error {
	_, err := c.RegisterPhoneNumber(b.t.Context(), &onboardingv1.RegisterPhoneNumberRequest{
		ConnectionId: connection, PhoneNumberId: phone, Pin: pin,
	})
	return err
}

func TestANumberIsRegisteredWithAPINThatWasSealedBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		held := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Hold: graphsim.Before})
		connected, shared := b.connect(c, graphsim.SignUp{})
		eventually(t, "it is being registered", func() bool { return b.meta.Count("POST", "/*/register") == 1 })
		if n := b.number(shared.PhoneNumberIDs[0]); len(n.PIN) == 0 || n.PINKeyID == 0 || n.Registration != store.Pending {
			t.Errorf("while it is sent, the row is %v", n)
		}
		if now := b.connection(c, connected.GetConnectionId()); now.GetState() != onboardingv1.Connection_CONNECTED {
			t.Errorf("while it is registered, the connection is %v", now)
		}
		b.meta.Release(held)
		done := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
		if done.GetState() != onboardingv1.Connection_CONNECTED {
			t.Errorf("the connection is %v", done)
		}
		calls := b.meta.Count("POST", "/*/register")
		if err := b.register(c, connected.GetConnectionId(), shared.PhoneNumberIDs[0], ""); err != nil {
			t.Fatal(err)
		}
		if n := b.meta.Count("POST", "/*/register"); n != calls {
			t.Errorf("a registered number was registered again")
		}
	})
}

func TestALostAnswerChangesNoPINAndIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Drop: graphsim.Before})
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Drop: graphsim.After})
	connected, shared := b.connect(c, graphsim.SignUp{})
	for i, pause := range silencePauses[:2] {
		b.called(shared.PhoneNumberIDs[0], i+1, pause)
		b.pass(pause + 15*time.Second)
	}
	b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
	if n, pins := b.meta.Count("POST", "/*/register"), b.pins(); n != 2 || len(pins) != 1 {
		t.Errorf("Meta was told %d times, PINs %v", n, pins)
	}
}

func TestANumberOfTheBusinessAppIsNeverRegistered(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Flow: graphsim.FlowCoexistence})
	if err := b.register(c, connected.GetConnectionId(), shared.PhoneNumberIDs[0], "123456"); err != nil {
		t.Fatal(err)
	}
	number := b.connection(c, connected.GetConnectionId()).GetPhoneNumbers()[0]
	if !number.GetCoexistence() || number.GetRegistration() != onboardingv1.PhoneNumber_NOT_NEEDED || b.meta.Count("POST", "/*/register") != 0 {
		t.Errorf("the number is %v", number)
	}
	err := b.register(c, connected.GetConnectionId(), "1", "")
	wantFault(t, err, errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND)
}

func TestANumberWithAPINAsksForIt(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{PIN: "246810"}}})
	id, phone := connected.GetConnectionId(), shared.PhoneNumberIDs[0]
	asked := b.awaitNumber(c, id, onboardingv1.PhoneNumber_PIN_REQUIRED)
	if asked.GetState() != onboardingv1.Connection_ATTENTION || !slices.Equal(reasonsOf(asked), []string{"PIN_REQUIRED"}) {
		t.Errorf("the connection is %v", asked)
	}
	if n := b.meta.Count("POST", "/*/register"); n != 1 {
		t.Errorf("Meta was told %d times", n)
	}
	if err := b.register(c, id, phone, "000000"); err != nil {
		t.Fatal(err)
	}
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_PIN_REQUIRED)
	if err := b.register(c, id, phone, "246810"); err != nil {
		t.Fatal(err)
	}
	done := b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
	if done.GetState() != onboardingv1.Connection_CONNECTED || len(reasonsOf(done)) != 0 {
		t.Errorf("the connection is %v", done)
	}
}

func TestANameInReviewIsWaitedForAndAskedAbout(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{NameStatus: "PENDING_REVIEW"}}})
	waiting := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_WAITING_FOR_META)
	if waiting.GetState() != onboardingv1.Connection_ATTENTION || !slices.Equal(reasonsOf(waiting), []string{"DISPLAY_NAME_IN_REVIEW"}) {
		t.Errorf("the connection is %v", waiting)
	}
	for range 3 { // while the review goes on, Meta is asked and not told
		asked := b.meta.Count("GET", "/"+shared.PhoneNumberIDs[0])
		b.pass(10 * time.Hour)
		eventually(t, "Meta is asked, and the next time is set", func() bool {
			next := b.number(shared.PhoneNumberIDs[0]).RunTime
			return b.meta.Count("GET", "/"+shared.PhoneNumberIDs[0]) > asked && next.After(b.clock.now().Add(8*time.Hour))
		})
	}
	if n := b.meta.Count("POST", "/*/register"); n != 1 {
		t.Errorf("Meta was told %d times", n)
	}

	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: 100, Subcode: 2388001}})
	reviewed, _ := b.connect(c, graphsim.SignUp{})
	b.awaitNumber(c, reviewed.GetConnectionId(), onboardingv1.PhoneNumber_WAITING_FOR_META)
	b.pass(10 * time.Hour)
	b.awaitNumber(c, reviewed.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
	if n := b.pins(); len(n) != 2 {
		t.Errorf("two numbers have %d PINs", len(n))
	}
}

func TestWhatMetaSaysAgainstANumberIsShownAndNotRepeatedUntilAReconnection(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for _, refusal := range []struct {
		code   int
		reason string
	}{
		{133006, "PHONE_NUMBER_NOT_VERIFIED"},
		{133016, "META_REJECTED"},
		{131042, "META_REJECTED"},
		{200, "PERMISSION_MISSING"},
	} {
		before := b.meta.Count("POST", "/*/register")
		scripted := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: refusal.code}, Times: -1})
		connected, shared := b.connect(c, graphsim.SignUp{})
		failed := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_FAILED)
		if failed.GetState() != onboardingv1.Connection_ATTENTION || !slices.Equal(reasonsOf(failed), []string{"REGISTRATION_FAILED"}) ||
			failed.GetPhoneNumbers()[0].GetReason() != refusal.reason ||
			failed.GetPhoneNumbers()[0].GetMetadata()["metaCode"] != strconv.Itoa(refusal.code) {
			t.Errorf("%d: the connection is %v", refusal.code, failed)
		}
		if n := b.meta.Count("POST", "/*/register") - before; n != 1 {
			t.Errorf("%d: Meta was told %d times", refusal.code, n)
		}
		b.forget(scripted)
		b.connect(c, graphsim.SignUp{WABAIDs: shared.WABAIDs}) // the customer reconnects, and it is tried again
		done := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
		if said := done.GetPhoneNumbers()[0].GetMetadata(); len(said) != 0 {
			t.Errorf("%d: the registered number still says %v", refusal.code, said)
		}
	}
}

func TestARegistrationWaitsForABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{PIN: "246810"}}})
	id, phone := connected.GetConnectionId(), shared.PhoneNumberIDs[0]
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_PIN_REQUIRED)
	calls := b.meta.Count("POST", "/*/register")
	b.link.goAway(true)
	started := make(chan error, 1)
	go func() { started <- b.register(c, id, phone, "246810") }()
	eventually(t, "it waits", func() bool {
		n := b.number(phone)
		return n.Registration == store.Pending && n.Reason == "BROKER_UNAVAILABLE"
	})
	b.link.goAway(false)
	b.pass(25 * time.Second)
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_REGISTERED)
	if err := <-started; err != nil {
		t.Error(err)
	}
	if n := b.meta.Count("POST", "/*/register") - calls; n != 1 {
		t.Errorf("Meta was told %d times", n)
	}
}

func TestARegistrationThatCameTooSoonIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for i, code := range []int{133009, 133015} {
		b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: code}})
		connected, shared := b.connect(c, graphsim.SignUp{})
		eventually(t, "it waits for five minutes", func() bool {
			n := b.number(shared.PhoneNumberIDs[0])
			return n.Registration == store.Pending && n.Reason == "META_RATE_LIMITED" && n.Metadata["metaCode"] == strconv.Itoa(code) &&
				n.RunTime.After(b.clock.now().Add(4*time.Minute))
		})
		b.pass(6 * time.Minute)
		b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
		if n := b.meta.Count("POST", "/*/register"); n != 2*(i+1) {
			t.Errorf("%d: Meta was told %d times", code, n)
		}
	}
}

func TestADeadTokenAtARegistrationIsTheConnections(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: 190, Subcode: 460}})
	connected, _ := b.connect(c, graphsim.SignUp{})
	failed := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_FAILED)
	if failed.GetState() != onboardingv1.Connection_RECONNECT_REQUIRED || reasonsOf(failed)[0] != "TOKEN_INVALID" {
		t.Errorf("the connection is %s %v", failed.GetState(), reasonsOf(failed))
	}
}

func TestANumberThatIsGoneIsNotRegistered(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	connected, _ := b.connect(b.as(org1), graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{Status: "DELETED"}, {Status: "MIGRATED"}}})
	for _, n := range connected.GetPhoneNumbers() {
		if n.GetRegistration() != onboardingv1.PhoneNumber_NOT_NEEDED {
			t.Errorf("%s: %s", n.GetStatus(), n.GetRegistration())
		}
	}
	if n := b.meta.Count("POST", "/*/register"); n != 0 {
		t.Errorf("Meta was told %d times", n)
	}
}
