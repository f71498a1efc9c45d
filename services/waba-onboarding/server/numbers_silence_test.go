package server_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// silencePauses are between the calls of a registration of which Meta says nothing, up to the last.
var silencePauses = []time.Duration{
	10 * time.Second, 5 * time.Minute, time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
}

// called wants Meta to be told of a number once more, so many times in all, and the next time to come after a pause.
func (b *bundle) called(phone string, times int, pause time.Duration) {
	b.t.Helper()
	eventually(b.t, "Meta is told, and the next time is set", func() bool {
		n := b.number(phone)
		return n.Attempts == times && n.Registration == store.Pending && n.Reason == "META_UNAVAILABLE" &&
			n.RunTime.After(b.clock.now().Add(pause-5*time.Second)) // this machine may be busy
	})
	if n := b.meta.Count("POST", "/"+phone+"/register"); n != times {
		b.t.Errorf("Meta was told %d times, want %d", n, times)
	}
}

func TestMetasSilenceIsNoVerdictOnANumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		for name, silence := range map[string]graphsim.Fault{
			"503": {Status: http.StatusServiceUnavailable}, "131000": {Error: &graphsim.FaultError{Code: 131000}},
			"133004": {Error: &graphsim.FaultError{Code: 133004}}, "reset": {Drop: graphsim.Before},
		} {
			shared := b.meta.SignUp(graphsim.SignUp{})
			phone := shared.PhoneNumberIDs[0]
			silence.Path, silence.Times = "/"+phone+"/register", -1
			scripted, before := b.meta.AddFault(silence), len(b.pins())
			o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
			wantState(t, o, onboardingv1.Onboarding_CONNECTED)
			for i, pause := range silencePauses[:4] {
				b.called(phone, i+1, pause)
				b.pass(pause + 15*time.Second)
			}
			b.called(phone, 5, 12*time.Hour)
			b.forget(scripted)
			b.pass(13 * time.Hour)
			registered := b.awaitNumber(c, o.GetConnection().GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
			if n := len(b.pins()) - before; n != 1 || registered.GetState() != onboardingv1.Connection_CONNECTED {
				t.Errorf("%s: %d PINs, %v", name, n, registered)
			}
		}
	})
}

func TestARegistrationStaysBelowMetasLimit(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{})
	phone := shared.PhoneNumberIDs[0]
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: 133004}, Times: -1})
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
	for i, pause := range silencePauses {
		b.called(phone, i+1, pause)
		b.pass(pause + 15*time.Second)
	}
	failed := b.awaitNumber(c, o.GetConnection().GetConnectionId(), onboardingv1.PhoneNumber_FAILED)
	if reason := failed.GetPhoneNumbers()[0].GetReason(); reason != "META_UNAVAILABLE" {
		t.Errorf("the reason is %s", reason)
	}
	if n := b.meta.Count("POST", "/*/register"); n != 9 {
		t.Errorf("Meta was told %d times", n)
	}
}

// A job too many comes where a customer connects again during a pause, or a process was away past its end.
func TestAJobTooManyShortensNoPause(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		shared := b.meta.SignUp(graphsim.SignUp{})
		phone := shared.PhoneNumberIDs[0]
		b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{Code: 133004}, Times: -1})
		wantState(t, b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: shared.Code}), onboardingv1.Onboarding_CONNECTED)
		b.called(phone, 1, silencePauses[0])
		b.pass(silencePauses[0] + 15*time.Second)
		b.called(phone, 2, silencePauses[1])

		queue, err := jobs.NewQueue(b.db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		looked := b.meta.Count("GET", "/"+phone)
		args := store.RegisterArgs{ConnectionID: b.number(phone).ConnectionID, PhoneNumberID: phone}
		if err := b.db.InTx(t.Context(), func(tx *gorm.DB) error { return queue.Add(t.Context(), tx, args) }); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the job has run", func() bool {
			var left int64
			err := b.db.Read(t.Context(), func(tx *gorm.DB) error {
				return tx.Table("river_job").Where("kind = ? and state in ?", args.Kind(), []string{"available", "running"}).Count(&left).Error
			})
			return err == nil && left == 0
		})
		b.called(phone, 2, silencePauses[1])
		if n := b.meta.Count("GET", "/"+phone); n != looked {
			t.Errorf("Meta was asked %d times more", n-looked)
		}
	})
}

func TestMetaIsToldNothingWhileItDoesNotSayHowTheNumberStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		shared := b.meta.SignUp(graphsim.SignUp{})
		phone := shared.PhoneNumberIDs[0]
		silent := b.meta.AddFault(graphsim.Fault{Path: "/" + phone, Status: http.StatusServiceUnavailable, Times: -1})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		b.called(phone, 0, 30*time.Second)
		b.pass(time.Minute)
		b.called(phone, 0, 30*time.Second)
		b.forget(silent)

		held := b.meta.AddFault(graphsim.Fault{Path: "/*/register", Hold: graphsim.After, Drop: graphsim.After})
		b.pass(time.Minute)
		eventually(t, "it is registered", func() bool { return b.meta.Count("POST", "/*/register") == 1 })
		silent = b.meta.AddFault(graphsim.Fault{Path: "/" + phone, HTML: "<html>", Times: -1})
		b.meta.Release(held) // and the answer is lost
		b.called(phone, 1, 10*time.Second)
		b.pass(time.Minute)
		b.called(phone, 1, 30*time.Second)
		b.forget(silent)
		b.pass(time.Minute)
		b.awaitNumber(c, o.GetConnection().GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
		if n := b.meta.Count("POST", "/*/register"); n != 1 {
			t.Errorf("Meta was told %d times", n)
		}
	})
}

func TestWhyMetaDidNotRegisterANumberIsLoggedAndOnTheTimeline(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{{PIN: "246810"}}})
	id, phone := connected.GetConnectionId(), shared.PhoneNumberIDs[0]
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_PIN_REQUIRED)
	b.meta.AddFault(graphsim.Fault{Path: "/*/register", Error: &graphsim.FaultError{
		Code: 133016, Subcode: 2494, Message: "(#133016) not with 975310", TraceID: "Atrace",
	}})
	if err := b.register(c, id, phone, "975310"); err != nil {
		t.Fatal(err)
	}
	b.awaitNumber(c, id, onboardingv1.PhoneNumber_FAILED)
	logged := map[string]any{}
	for line := range strings.Lines(b.logs.String()) {
		if strings.Contains(line, `"Meta did not register a number"`) { // the last one
			if err := json.Unmarshal([]byte(line), &logged); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string]any{
		"level": "WARN", "connectionId": id, "phoneNumberId": phone,
		"metaCode": 133016., "metaSubcode": 2494., "fbtraceId": "Atrace",
	}
	for name, value := range want {
		if logged[name] != value {
			t.Errorf("%s = %v, want %v", name, logged[name], value)
		}
	}
	resp, err := c.ListActivities(t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: id})
	if err != nil {
		t.Fatal(err)
	}
	failed := slices.IndexFunc(resp.GetActivities(), func(a *onboardingv1.Activity) bool { return a.GetType() == "NUMBER_FAILED" })
	if failed < 0 {
		t.Fatalf("the timeline is %v", resp.GetActivities())
	}
	told := resp.GetActivities()[failed].GetMetadata()
	if told["metaCode"] != "133016" || told["metaSubcode"] != "2494" || told["fbtraceId"] != "Atrace" {
		t.Errorf("the timeline tells %v", told)
	}
	if strings.Contains(b.logs.String()+told["metaMessage"], "975310") {
		t.Error("the PIN is shown")
	}
}
