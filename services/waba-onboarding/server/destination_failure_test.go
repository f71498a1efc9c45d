package server_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestWhatWasRefusedForDaysArrivesInOrderWhenItIsMended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 3)})
		r, w := receive(t), b.witness()
		r.say(http.StatusInternalServerError)
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL, EventTypes: []string{"change.messages"}})
		numbers := signed.PhoneNumberIDs
		for _, number := range numbers {
			b.say(number, 2)
		}
		began := b.clock.now()
		for try := 1; try <= 10; try++ {
			eventually(t, "a try of each number", func() bool { return len(b.attempts(org1, d.GetDestinationId())) == 3*try })
			for _, attempt := range b.attempts(org1, d.GetDestinationId())[:3] {
				if wait := attempt.GetNextAttemptTime().AsTime().Sub(b.clock.now()); wait > 0 {
					b.clock.advance(wait)
				}
			}
		}
		held := b.awaitDestination(org1, d.GetDestinationId(), "it is held", func(d *onboardingv1.Destination) bool {
			return d.GetState() == onboardingv1.Destination_HELD
		})
		if took := held.GetStateTime().AsTime().Sub(began); took < 27*time.Hour || took > 32*time.Hour {
			t.Errorf("held after %v", took)
		}
		if held.GetReason() != "HTTP 500" || held.GetPendingCount() != 6 || held.GetPendingSince() == nil {
			t.Errorf("destination = %v", held)
		}
		b.clock.advance(3 * 24 * time.Hour)
		for _, number := range numbers {
			b.say(number, 2)
		}
		b.awaitDestination(org1, d.GetDestinationId(), "what comes is kept", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 12 })
		var before int
		eventually(t, "what was on its way is there", func() bool { before = len(r.all()); return before == len(b.attempts(org1, d.GetDestinationId())) })
		w.hears(b)
		if now := len(r.all()); now != before {
			t.Errorf("a held destination was sent %d", now-before)
		}
		r.say(http.StatusNoContent)
		on := true
		if _, err := b.hooks(org1).UpdateDestination(t.Context(), &onboardingv1.UpdateDestinationRequest{DestinationId: d.GetDestinationId(), Enabled: &on}); err != nil {
			t.Fatal(err)
		}
		b.awaitDestination(org1, d.GetDestinationId(), "everything is received", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 0 })
		arrived := r.all()[before:]
		for _, number := range numbers {
			if diff := cmp.Diff(b.stream(number), of(arrived, number)); diff != "" || len(b.stream(number)) != 4 {
				t.Errorf("number %s (-stream +received):\n%s", number, diff)
			}
		}
		if len(arrived) != 12 {
			t.Errorf("%d events were sent, want 12: none twice", len(arrived))
		}
		ids := map[string]map[string]bool{} // by change
		for _, g := range r.all() {
			if ids[g.text("changeId")] == nil {
				ids[g.text("changeId")] = map[string]bool{}
			}
			ids[g.text("changeId")][g.id()] = true
			if !signedBy(d.GetSecret(), g) {
				t.Error("a try is not signed")
			}
		}
		for change, known := range ids {
			if len(known) != 1 {
				t.Errorf("change %s has the ids %v", change, known)
			}
		}
	})
}

func TestNobodyWaitsForAReceiverThatIsSilentOrRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 2)})
		silent, picky, well := receive(t), receive(t), receive(t)
		release := make(chan struct{})
		silent.do(func(http.ResponseWriter, *http.Request, got) { <-release })
		t.Cleanup(func() { close(release) })
		sick, sound := signed.PhoneNumberIDs[0], signed.PhoneNumberIDs[1]
		for range 3 {
			b.destine(org2, &onboardingv1.CreateDestinationRequest{Url: "http://127.0.0.1:1/"}) // nobody listens; it is another's too
			b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: silent.URL})
		}
		b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: well.URL})
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: picky.URL, EventTypes: []string{"change.messages"}})
		picky.do(func(w http.ResponseWriter, _ *http.Request, g got) {
			if g.text("phoneNumberId") == sick {
				w.WriteHeader(http.StatusBadRequest)
			}
		})
		b.say(sick, 2)
		silent.await(t, 1)
		picky.await(t, 1)
		b.say(sound, 10)
		well.await(t, 12)
		eventually(t, "the sound number", func() bool { return len(of(picky.all(), sound)) == 10 })
		if diff := cmp.Diff(b.stream(sound), of(picky.all(), sound)); diff != "" {
			t.Errorf("(-stream +received):\n%s", diff)
		}
		b.awaitDestination(org1, d.GetDestinationId(), "those of the sick number alone are pending", func(d *onboardingv1.Destination) bool {
			return d.GetPendingCount() == 2
		})
		if len(of(picky.all(), sick)) != 1 {
			t.Error("the second was sent before the first was received")
		}
	})
}

func TestReceiversThatAreSlowHoldUpTheirOwnOrganizationAlone(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 8)})
	_, other := b.connect(b.as(org2), graphsim.SignUp{})
	slow, well := receive(t), receive(t)
	release := make(chan struct{})
	slow.do(func(http.ResponseWriter, *http.Request, got) { <-release })
	t.Cleanup(func() { close(release) })
	slowOnes := make([]string, 13) // for each number of which there would be a courier, more than there are
	for i := range slowOnes {
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: slow.URL, EventTypes: []string{"change.messages"}})
		slowOnes[i] = d.GetDestinationId()
	}
	b.destine(org2, &onboardingv1.CreateDestinationRequest{Url: well.URL, EventTypes: []string{"change.messages"}})
	for _, number := range signed.PhoneNumberIDs {
		b.say(number, 1)
	}
	b.awaitDestination(org1, slowOnes[12], "a message of each number", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 8 })
	slow.await(t, 1)
	b.say(other.PhoneNumberIDs[0], 1)
	well.await(t, 1)
	for _, id := range slowOnes {
		if len(b.attempts(org1, id)) > 0 {
			t.Error("another's event waited until the slow ones had had their time")
		}
	}
}

func TestWhatAReceiverAnswers(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{})
	elsewhere := receive(t)
	const canary = "receiverscanary"
	for name, tt := range map[string]struct {
		answer answering
		status int32
		error  string
		state  onboardingv1.Destination_State
	}{
		"gone": {func(w http.ResponseWriter, _ *http.Request, _ got) { http.Error(w, canary, http.StatusGone) }, 410, "HTTP 410", onboardingv1.Destination_DISABLED},
		"redirect": {func(w http.ResponseWriter, r *http.Request, _ got) {
			http.Redirect(w, r, elsewhere.URL, http.StatusPermanentRedirect)
		}, 308, "HTTP 308: redirects are not followed", onboardingv1.Destination_ACTIVE},
		"a secret": {func(w http.ResponseWriter, _ *http.Request, _ got) {
			w.Header().Set("X-Secret", canary)
			http.Error(w, canary, http.StatusForbidden)
		}, 403, "HTTP 403", onboardingv1.Destination_ACTIVE},
		"no HTTP": {func(http.ResponseWriter, *http.Request, got) { panic(http.ErrAbortHandler) }, 0, "the connection ended without an answer of HTTP", onboardingv1.Destination_ACTIVE},
	} {
		r := receive(t)
		r.do(tt.answer)
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL, EventTypes: []string{"change.messages"}})
		b.say(signed.PhoneNumberIDs[0], 1)
		got := b.awaitDestination(org1, d.GetDestinationId(), name, func(d *onboardingv1.Destination) bool { return d.GetReason() != "" })
		attempt := b.attempts(org1, d.GetDestinationId())[0]
		if got.GetState() != tt.state || got.GetReason() != tt.error || attempt.GetHttpStatus() != tt.status || attempt.GetError() != tt.error {
			t.Errorf("%s: %v, %v", name, got, attempt)
		}
		if (attempt.GetNextAttemptTime() == nil) != (tt.state == onboardingv1.Destination_DISABLED) {
			t.Errorf("%s: the next attempt is at %v", name, attempt.GetNextAttemptTime())
		}
	}
	if len(elsewhere.all()) != 0 {
		t.Error("a redirect was followed")
	}
	if strings.Contains(dump(t, b.db), canary) || strings.Contains(b.logs.String(), canary) {
		t.Error("what a receiver wrote is kept")
	}
}

func TestTwoReplicasSendEachEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.start()
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 6)})
	r := receive(t)
	d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL})
	for range 8 {
		for _, number := range signed.PhoneNumberIDs {
			b.say(number, 1)
		}
	}
	r.await(t, 48, "change.messages")
	for _, number := range signed.PhoneNumberIDs { // what comes last of a number comes after all that would come of it twice
		b.say(number, 1)
	}
	r.await(t, 54, "change.messages")
	b.awaitDestination(org1, d.GetDestinationId(), "all are received", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 0 })
	list := r.all("change.messages")
	for _, number := range signed.PhoneNumberIDs {
		if diff := cmp.Diff(b.stream(number), of(list, number)); diff != "" {
			t.Errorf("(-stream +received):\n%s", diff)
		}
	}
	failed := 0 // on a machine that is too slow for the receiver to answer in time; those are sent again
	for _, attempt := range b.attempts(org1, d.GetDestinationId()) {
		if attempt.GetError() != "" {
			failed++
		}
	}
	if len(list) < 54 || len(list) > 54+failed {
		t.Errorf("%d events came, want 54, and %d that failed", len(list), failed)
	}
}

func TestAnEventIsSentAgainWhoseSenderDiedBeforeItWroteItDown(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{})
	r, w := receive(t), b.witness()
	d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL, EventTypes: []string{"change.messages"}})
	exec := func(sql string) {
		t.Helper()
		err := b.db.InTx(context.WithoutCancel(t.Context()), func(tx *gorm.DB) error { return tx.Exec(sql).Error })
		if err != nil {
			t.Fatal(err)
		}
	}
	exec(`create function refuse() returns trigger as 'begin raise exception ''no''; end' language plpgsql`)
	exec("create trigger refuse before insert on destination_attempts for each row execute function refuse()")
	b.say(signed.PhoneNumberIDs[0], 2)
	r.await(t, 1)
	w.hears(b)
	if len(r.all()) != 1 || b.destination(org1, d.GetDestinationId()).GetPendingCount() != 2 {
		t.Errorf("%d were sent before the lease ended", len(r.all()))
	}
	exec("drop trigger refuse on destination_attempts")
	b.clock.advance(30 * time.Second)
	list := r.await(t, 3)
	if list[0].id() != list[1].id() || list[1].id() == list[2].id() || !bytes.Equal(list[0].body, list[1].body) {
		t.Errorf("ids %s, %s, %s", list[0].id(), list[1].id(), list[2].id())
	}
	for _, g := range list {
		if !signedBy(d.GetSecret(), g) {
			t.Error("a try is not signed")
		}
	}
}

func TestADestinationThatIsOffKeepsWhatComesAndANewURLHasItAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{})
		r := receive(t)
		made := b.send("POST", "destinations", org1, `{"kind":"EVENTS","url":"http://127.0.0.1:1/","eventTypes":["change.messages"]}`)
		id, _ := made.json["destinationId"].(string)
		if secret, _ := made.json["secret"].(string); made.status != 200 || !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("%d %s", made.status, made.raw)
		}
		b.say(signed.PhoneNumberIDs[0], 2)
		refused := b.awaitDestination(org1, id, "a refusal", func(d *onboardingv1.Destination) bool {
			return d.GetReason() != "" && d.GetPendingCount() == 2
		})
		if refused.GetReason() != "the connection was refused" {
			t.Errorf("destination = %v", refused)
		}
		off := b.send("PATCH", "destinations/"+id, org1, `{"enabled":false,"url":"`+r.URL+`"}`)
		if off.json["state"] != "DISABLED" || off.json["url"] != r.URL || off.json["secret"] != "" {
			t.Fatalf("%d %s", off.status, off.raw)
		}
		tested := b.send("POST", "destinations/"+id+":test", org1, "{}")
		if tested.json["httpStatus"] != 200.0 || tested.json["eventType"] != "destination.test" {
			t.Errorf("%d %s", tested.status, tested.raw)
		}
		b.say(signed.PhoneNumberIDs[0], 1)
		b.awaitDestination(org1, id, "it is kept", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 3 })
		if got := b.send("PATCH", "destinations/"+id, org1, `{"enabled":true}`); got.json["state"] != "ACTIVE" {
			t.Fatalf("%d %s", got.status, got.raw)
		}
		list := r.await(t, 3, "change.messages")
		if diff := cmp.Diff(b.stream(signed.PhoneNumberIDs[0]), of(list, signed.PhoneNumberIDs[0])); diff != "" {
			t.Errorf("(-stream +received):\n%s", diff)
		}

		second := receive(t)
		r.say(http.StatusInternalServerError)
		b.say(signed.PhoneNumberIDs[0], 1)
		b.awaitDestination(org1, id, "a refusal", func(d *onboardingv1.Destination) bool { return d.GetReason() == "HTTP 500" })
		b.send("PATCH", "destinations/"+id, org1, `{"url":"`+second.URL+`"}`)
		second.await(t, 1, "change.messages")
		b.awaitDestination(org1, id, "it is received", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 0 })
		if list := b.attempts(org1, id); !list[0].GetTime().AsTime().Before(list[1].GetNextAttemptTime().AsTime()) {
			t.Errorf("the new URL waited for the old one's pause: %v", list[:2])
		}
		var kinds []string
		err := b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("activities").Where("destination_id = ?", id).Order("id").Pluck("type", &kinds).Error
		})
		want := []string{"DESTINATION_CREATED", "DESTINATION_URL_CHANGED", "DESTINATION_DISABLED", "DESTINATION_ACTIVE", "DESTINATION_URL_CHANGED"}
		if diff := cmp.Diff(want, kinds); diff != "" || err != nil {
			t.Errorf("activities (-want +got):\n%s%v", diff, err)
		}
	})
}
