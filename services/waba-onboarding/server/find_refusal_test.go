package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// hidden is a WABA whose numbers Meta does not show, and how it says so.
func (b *bundle) hidden(waba string, says graphsim.FaultError) {
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/" + waba + "/phone_numbers", Error: &says, Times: -1})
}

// silent is an object of which Meta says nothing but that it is in trouble.
func (b *bundle) silent(id string) {
	b.meta.AddFault(graphsim.Fault{
		Method: "GET", Path: "/" + id + "/phone_numbers", Status: http.StatusInternalServerError,
		Error: &graphsim.FaultError{Code: 1}, Times: -1,
	})
}

// waits wants the claim to wait at find for a reason.
func (b *bundle) waits(c client, id, reason string) {
	b.t.Helper()
	b.await(c, id, reason, func(o *onboardingv1.Onboarding) bool {
		return o.GetReason() == reason && step(o, "find").GetState() == onboardingv1.Step_WAITING
	})
}

func TestWhyMetaDoesNotShowAWABAIsSaid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		const otherField = "(#100) Tried accessing nonexisting field (whatsapp_business_manager_messaging_limit) on node type (WhatsAppBusinessPhoneNumber)"
		refusals := []struct {
			says   graphsim.FaultError
			reason string
			code   string // of Meta, in the metadata
			id     string
		}{
			{says: graphsim.FaultError{Code: 10}, reason: "PERMISSION_MISSING", code: "10"},
			{says: graphsim.FaultError{Code: 200}, reason: "PERMISSION_MISSING", code: "200"},
			{says: graphsim.FaultError{Code: 299}, reason: "PERMISSION_MISSING", code: "299"},
			{says: graphsim.FaultError{Code: 368}, reason: "META_REJECTED", code: "368"},
			{says: graphsim.FaultError{Code: 100, Message: otherField}, reason: "META_REJECTED", code: "100"},
			{says: graphsim.FaultError{Code: 100, Message: "(#100) Invalid appsecret_proof"}, reason: "META_REJECTED", code: "100"},
			{says: graphsim.FaultError{Code: 100, Subcode: 33}, reason: "WABA_NOT_SHARED"},
			{says: graphsim.FaultError{Code: 803}, reason: "WABA_NOT_SHARED"},
		}
		for i := range refusals {
			r := &refusals[i]
			shared := b.meta.SignUp(graphsim.SignUp{})
			b.hidden(shared.WABAIDs[0], r.says)
			r.id = b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0]})
			b.waits(c, r.id, r.reason) // it may be shared a little later
		}
		b.pass(35 * time.Second)
		for _, r := range refusals {
			failed := b.awaitState(c, r.id, onboardingv1.Onboarding_FAILED)
			said := failed.GetMetadata()
			if failed.GetReason() != r.reason || said["metaCode"] != r.code || (r.code != "") != (said["fbtraceId"] != "") {
				t.Errorf("%v: %s, metadata %v", r.says, failed.GetReason(), said)
			}
		}
	})
}

func TestAPermissionThatComesLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	shared := b.meta.SignUp(graphsim.SignUp{})
	b.meta.AddFault(graphsim.Fault{Path: "/*/phone_numbers", Error: &graphsim.FaultError{Code: 200}, Times: 2})
	o := b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0]})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
}

// The business of a token is among its targets and is no WABA: what Meta says of it hides nothing.
func TestWhyMetaDoesNotShowATargetIsSaid(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularBusinessIDs})
	b.hidden(shared.WABAIDs[0], graphsim.FaultError{Code: 200})
	targeted := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	b.waits(c, targeted, "PERMISSION_MISSING")

	reported := b.begin(c)
	other := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularAbsent})
	b.hidden(other.WABAIDs[0], graphsim.FaultError{Code: 368})
	b.report(reported.GetOnboardingId(), reported.GetClientToken(), `{"event": "FINISHED", "wabaId": "`+other.WABAIDs[0]+`"}`)
	customer := b.as(reported.GetClientToken())
	go func() { _, _ = customer.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: other.Code}) }()
	b.waits(c, reported.GetOnboardingId(), "META_REJECTED")
}

func TestATargetOfWhichMetaSaysNothingHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		shared := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularBusinessIDs})
		b.silent(shared.BusinessID)
		id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		b.waits(c, id, "META_UNAVAILABLE") // it may be one that is to be chosen among
		b.pass(35 * time.Second)
		connected := b.awaitState(c, id, onboardingv1.Onboarding_CONNECTED)
		if got := connected.GetConnection().GetWabaId(); got != shared.WABAIDs[0] {
			t.Errorf("connected %s", got)
		}
	})
}

func TestSilenceAboutTheNamedWABALeavesTheQuestionOpen(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 2)})
	b.silent(shared.WABAIDs[0])
	id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0]})
	b.waits(c, id, "META_UNAVAILABLE")
	asked := b.meta.Count("GET", "/"+shared.WABAIDs[0]+"/phone_numbers")
	b.pass(35 * time.Second)
	eventually(t, "Meta is asked again", func() bool {
		return b.meta.Count("GET", "/"+shared.WABAIDs[0]+"/phone_numbers") > asked
	})
	b.waits(c, id, "META_UNAVAILABLE")
}

func TestAllOfManyWABAsAreOffered(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 60), Granular: graphsim.GranularBusinessIDs})
	o := b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, o, onboardingv1.Onboarding_CHOOSING_WABA)
	if n := len(o.GetChoices()); n != 60 {
		t.Errorf("%d of 60 are offered", n)
	}
}

func TestThePostedNumberDecidesAmongSeveralWABAs(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for i := range 2 { // whichever comes first
		shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 2), Phones: onCloudAPI(1)})
		posted := shared.PhoneNumberIDs[i]
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, PhoneNumberId: posted})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		numbers := o.GetConnection().GetPhoneNumbers()
		if len(numbers) != 1 || numbers[0].GetPhoneNumberId() != posted {
			t.Errorf("connected the WABA of %v, posted %s", numbers, posted)
		}
	}
}

func TestAWABAThatNobodyNamedIsAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		shared := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularAbsent, Phones: onCloudAPI(1)})
		other := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularAbsent, Phones: onCloudAPI(1)})
		late := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		soon := b.post(c, &onboardingv1.ClaimWabaRequest{Code: other.Code})
		b.waits(c, late, "WABA_ID_REQUIRED")
		b.waits(c, soon, "WABA_ID_REQUIRED")
		named := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: other.Code, WabaId: other.WABAIDs[0]})
		wantState(t, named, onboardingv1.Onboarding_CONNECTED)

		b.pass(35 * time.Second)
		if failed := b.awaitState(c, late, onboardingv1.Onboarding_FAILED); failed.GetReason() != "WABA_ID_REQUIRED" || failed.GetNextAction() == "" {
			t.Errorf("the onboarding is %v", failed)
		}
		healed := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0], PhoneNumberId: shared.PhoneNumberIDs[0]})
		wantState(t, healed, onboardingv1.Onboarding_CONNECTED)
		if n := b.meta.Count("POST", "/oauth/access_token"); n != 2 || healed.GetOnboardingId() != late || named.GetOnboardingId() != soon {
			t.Errorf("%d codes were spent; healed as %s and %s", n, healed.GetOnboardingId(), named.GetOnboardingId())
		}
	})
}

func TestAWABAThatIsReportedAfterTheCodeIsFound(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	begun := b.begin(c)
	shared := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularAbsent, Phones: onCloudAPI(1)})
	customer := b.as(begun.GetClientToken())
	go func() { _, _ = customer.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: shared.Code}) }()
	b.waits(c, begun.GetOnboardingId(), "WABA_ID_REQUIRED")
	b.report(begun.GetOnboardingId(), begun.GetClientToken(), `{"event": "FINISHED", "wabaId": "`+shared.WABAIDs[0]+`"}`)
	b.awaitState(c, begun.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
}

func TestAClaimWaitsAsLongAsCallersAreTold(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)})
	b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Error: &graphsim.FaultError{Code: 80007}})
	id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	b.await(c, id, "META_RATE_LIMITED", func(o *onboardingv1.Onboarding) bool {
		s := step(o, "subscribe")
		return s.GetReason() == "META_RATE_LIMITED" && s.GetState() == onboardingv1.Step_WAITING
	})
	row, err := b.rows.LoadClaim(t.Context(), uuid.MustParse(id))
	if err != nil || row.RunTime.Before(b.clock.now().Add(50*time.Second)) {
		t.Errorf("the next try is due at %v: %v", row.RunTime, err)
	}
	b.pass(75 * time.Second)
	b.awaitState(c, id, onboardingv1.Onboarding_CONNECTED)
}
