package server_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestADestinationReceivesWhatHappensToItsOrganization(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		mine, theirs, everybodys, narrow := receive(t), receive(t), receive(t), receive(t)
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: mine.URL + "/hooks?shop=1"})
		b.destine(org2, &onboardingv1.CreateDestinationRequest{Url: theirs.URL})
		b.destine(platform, &onboardingv1.CreateDestinationRequest{Url: everybodys.URL, AllOrganizations: true})
		b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: narrow.URL, EventTypes: []string{"connection.*", "change.smb_message_echoes"}})
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		b.say(signed.PhoneNumberIDs[0], 1)

		message := mine.await(t, 1, "change.messages")[0]
		connected := mine.await(t, 1, "connection.connected")[0]
		if connected.text("connectionId") != c.GetConnectionId() || connected.text("state") != "CONNECTED" || connected.text("wabaId") != signed.WABAIDs[0] {
			t.Errorf("connection = %s", connected.body)
		}
		for _, g := range []got{message, connected} {
			if !signedBy(d.GetSecret(), g) || g.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(g.header.Get("User-Agent"), "whatrack-connect") {
				t.Errorf("headers = %v", g.header)
			}
		}
		shown := b.send("GET", "changes/"+message.text("changeId"), org1, "")
		if diff := cmp.Diff(shown.json, message.data); diff != "" {
			t.Errorf("the event is not what REST shows (-REST +event):\n%s", diff)
		}
		everybodys.await(t, 1, "change.messages")
		narrow.await(t, 1, "connection.connected")
		got := b.awaitDestination(org1, d.GetDestinationId(), "nothing pending", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 0 })
		if got.GetLastSuccessTime() == nil || got.GetSecret() != "" || got.GetState() != onboardingv1.Destination_ACTIVE {
			t.Errorf("destination = %v", got)
		}
		if len(theirs.all()) != 0 || len(narrow.all("change.messages")) != 0 {
			t.Errorf("org-2 got %d, the narrow one %d messages", len(theirs.all()), len(narrow.all("change.messages")))
		}
		attempts := b.attempts(org1, d.GetDestinationId())
		first := attempts[len(attempts)-1]
		if first.GetHttpStatus() != 200 || first.GetError() != "" || first.GetAttempt() != 1 || first.GetNextAttemptTime() != nil {
			t.Errorf("attempt = %v", first)
		}
	})
}

func TestMetaRawIsMetasOwnBytesSignedAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{})
		r := receive(t)
		const secret = "the app secret of before"
		_, err := b.hooks(org1).CreateDestination(t.Context(), &onboardingv1.CreateDestinationRequest{
			Kind: onboardingv1.Destination_META_RAW, Url: r.URL, Secret: secret,
		})
		wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD) // a space
		key := strings.ReplaceAll(secret, " ", "-")
		b.destine(org1, &onboardingv1.CreateDestinationRequest{Kind: onboardingv1.Destination_META_RAW, Url: r.URL, Secret: key, EventTypes: []string{"change.messages"}})
		value := `{"messaging_product":"whatsapp","metadata":{"phone_number_id":"` + signed.PhoneNumberIDs[0] +
			`"},"messages":[{"id":"wamid.raw","from":"5511987654321","type":"text","text":{"body":"ol\u00e1 \/ <b> 😀"}} ]}`
		said := b.meta.Deliver(graphsim.Webhook{Body: json.RawMessage(
			`{"object":"whatsapp_business_account","entry":[{"id":"` + signed.WABAIDs[0] + `","changes":[{"value":` + value + `,"field":"messages"}]}]}`)})
		if said.Status != http.StatusOK {
			t.Fatalf("Meta says: %+v", said)
		}
		g := r.await(t, 1)[0]
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(g.body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); g.header.Get("X-Hub-Signature-256") != want {
			t.Errorf("signature %s, want %s", g.header.Get("X-Hub-Signature-256"), want)
		}
		var change struct{ Value []byte }
		err = b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Table("changes").Select("value").Where("field = ?", "messages").Take(&change).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"object":"whatsapp_business_account","entry":[{"id":"` + signed.WABAIDs[0] + `","changes":[{"field":"messages","value":` + string(change.Value) + `}]}]}`
		if string(g.body) != want || !bytes.Contains(change.Value, []byte(`"ol\u00e1 \/ \u003cb>`)) {
			t.Errorf("body %s\nwant %s", g.body, want)
		}
	})
}

func TestWhatWasRefusedForDaysArrivesInOrderWhenItIsMended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 3)})
		r := receive(t)
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
		time.Sleep(600 * time.Millisecond) // time to do harm
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

func TestADestinationIsWithItsOwnerAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: "https://shop.example/hooks", EventTypes: []string{"change.*"}})
		all := b.destine(platform, &onboardingv1.CreateDestinationRequest{Url: "https://ops.example", AllOrganizations: true})
		if all.GetOrganizationId() != "*" || d.GetOrganizationId() != "org-1" {
			t.Errorf("owners %s, %s", all.GetOrganizationId(), d.GetOrganizationId())
		}
		for name, try := range map[string]func(c onboardingv1.WebhookServiceClient, id string) error{
			"get": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.GetDestination(t.Context(), &onboardingv1.GetDestinationRequest{DestinationId: id})
				return err
			},
			"update": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.UpdateDestination(t.Context(), &onboardingv1.UpdateDestinationRequest{DestinationId: id})
				return err
			},
			"delete": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.DeleteDestination(t.Context(), &onboardingv1.DeleteDestinationRequest{DestinationId: id})
				return err
			},
			"test": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.TestDestination(t.Context(), &onboardingv1.TestDestinationRequest{DestinationId: id})
				return err
			},
			"rotate": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.RotateDestinationSecret(t.Context(), &onboardingv1.RotateDestinationSecretRequest{DestinationId: id})
				return err
			},
			"attempts": func(c onboardingv1.WebhookServiceClient, id string) error {
				_, err := c.ListDestinationAttempts(t.Context(), &onboardingv1.ListDestinationAttemptsRequest{DestinationId: id})
				return err
			},
		} {
			for _, id := range []string{d.GetDestinationId(), all.GetDestinationId(), "0193a000-0000-7000-8000-000000000000"} {
				if err := try(b.hooks(org2), id); err == nil {
					t.Errorf("%s of %s was let", name, id)
				} else {
					wantFault(t, err, errorsv1.ErrorReason_NOT_FOUND)
				}
			}
		}
		list, err := b.hooks(org2).ListDestinations(t.Context(), &onboardingv1.ListDestinationsRequest{})
		if err != nil || len(list.GetDestinations()) != 0 {
			t.Errorf("org-2 sees %v %v", list, err)
		}
		list, err = b.hooks(platform).ListDestinations(t.Context(), &onboardingv1.ListDestinationsRequest{PageSize: 1})
		if err != nil || len(list.GetDestinations()) != 1 || list.GetNextPageToken() == "" || list.GetDestinations()[0].GetSecret() != "" {
			t.Errorf("the operator sees %v %v", list, err)
		}
		if _, err = b.hooks(org1).DeleteDestination(t.Context(), &onboardingv1.DeleteDestinationRequest{DestinationId: d.GetDestinationId()}); err != nil {
			t.Error(err)
		}
		_, err = b.hooks(org1).GetDestination(t.Context(), &onboardingv1.GetDestinationRequest{DestinationId: d.GetDestinationId()})
		wantFault(t, err, errorsv1.ErrorReason_NOT_FOUND)
	})
}

func TestDestinationsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	create := func(token string, req *onboardingv1.CreateDestinationRequest) error {
		if req.GetKind() == 0 {
			req.Kind = onboardingv1.Destination_EVENTS
		}
		_, err := b.hooks(token).CreateDestination(t.Context(), req)
		return err
	}
	for url, want := range map[string]errorsv1.ErrorReason{
		"https://10.0.0.1/": errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED, "https://[::1]/": errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED,
		"https://169.254.169.254/latest": errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED, "http://93.184.216.34/": errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED,
		"https://user:pass@shop.example/": errorsv1.ErrorReason_INVALID_FIELD, "ftp://shop.example": errorsv1.ErrorReason_INVALID_FIELD, "hooks": errorsv1.ErrorReason_INVALID_FIELD,
	} {
		wantFault(t, create(org1, &onboardingv1.CreateDestinationRequest{Url: url}), want)
	}
	const good = "https://shop.example/"
	for name, req := range map[string]*onboardingv1.CreateDestinationRequest{
		"a type":           {Url: good, EventTypes: []string{"messages"}},
		"a type of META":   {Url: good, EventTypes: []string{"connection.*"}, Kind: onboardingv1.Destination_META_RAW},
		"a secret":         {Url: good, Secret: "not-a-secret-of-standard-webhooks"},
		"a short secret":   {Url: good, Secret: "whsec_c2hvcnRzaG9ydHNob3J0"},
		"no kind of a URL": {Url: strings.Repeat("x", 3000)},
	} {
		if why := wantFault(t, create(org1, req), errorsv1.ErrorReason_INVALID_FIELD); why == nil {
			t.Error(name)
		}
	}
	wantFault(t, create(org1, &onboardingv1.CreateDestinationRequest{Url: good, AllOrganizations: true}), errorsv1.ErrorReason_PERMISSION_DENIED)
	wantFault(t, create(platform, &onboardingv1.CreateDestinationRequest{Url: good}), errorsv1.ErrorReason_ORGANIZATION_REQUIRED)
	_, err := b.hooks(platform).CreateDestination(metadata.AppendToOutgoingContext(t.Context(), "x-organization-id", "org-1"),
		&onboardingv1.CreateDestinationRequest{Kind: onboardingv1.Destination_EVENTS, Url: good, AllOrganizations: true})
	wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	wantFault(t, create(viewer1, &onboardingv1.CreateDestinationRequest{Url: good}), errorsv1.ErrorReason_PERMISSION_DENIED)
	for range 20 {
		b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: good})
	}
	wantFault(t, create(org1, &onboardingv1.CreateDestinationRequest{Url: good}), errorsv1.ErrorReason_RATE_LIMITED)
	list, err := b.hooks(org1).ListDestinations(t.Context(), &onboardingv1.ListDestinationsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	bad := "https://192.168.0.1/"
	_, err = b.hooks(org1).UpdateDestination(t.Context(), &onboardingv1.UpdateDestinationRequest{DestinationId: list.GetDestinations()[0].GetDestinationId(), Url: &bad})
	wantFault(t, err, errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
}

func TestAnAddressThatIsNotAllowedIsNotDialled(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.stop()
	b.egress = "10.0.0.0/8"
	b.replica = b.start()
	r := receive(t)
	d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: strings.Replace(r.URL, "127.0.0.1", "localhost", 1)})
	_, err := b.hooks(org1).TestDestination(t.Context(), &onboardingv1.TestDestinationRequest{DestinationId: d.GetDestinationId()})
	wantFault(t, err, errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
	b.connect(b.as(org1), graphsim.SignUp{})
	got := b.awaitDestination(org1, d.GetDestinationId(), "a refusal", func(d *onboardingv1.Destination) bool { return d.GetReason() != "" })
	if got.GetReason() != "the address is not allowed" || len(r.all()) != 0 {
		t.Errorf("%v, received %d", got, len(r.all()))
	}
}

func TestASecretIsRotatedWithoutAGap(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		r, raw := receive(t), receive(t)
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL})
		m := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: raw.URL, Kind: onboardingv1.Destination_META_RAW})
		test := func(id string) {
			t.Helper()
			resp, err := b.hooks(org1).TestDestination(t.Context(), &onboardingv1.TestDestinationRequest{DestinationId: id})
			if err != nil || resp.GetAttempt().GetHttpStatus() != 200 {
				t.Fatalf("test: %v %v", resp, err)
			}
		}
		rotate := func(id string) string {
			t.Helper()
			resp, err := b.hooks(org1).RotateDestinationSecret(t.Context(), &onboardingv1.RotateDestinationSecretRequest{DestinationId: id})
			if err != nil {
				t.Fatal(err)
			}
			return resp.GetDestination().GetSecret()
		}
		first := d.GetSecret()
		second := rotate(d.GetDestinationId())
		test(d.GetDestinationId())
		b.clock.advance(25 * time.Hour)
		test(d.GetDestinationId())
		third := rotate(d.GetDestinationId())
		test(d.GetDestinationId())
		for i, want := range [][]bool{{true, true, false}, {false, true, false}, {false, true, true}} {
			g := r.all()[i]
			got := []bool{signedBy(first, g), signedBy(second, g), signedBy(third, g)}
			if !slices.Equal(got, want) || g.kind != "destination.test" {
				t.Errorf("test %d (%s) is signed by %v, want %v", i, g.kind, got, want)
			}
			at, err := strconv.ParseInt(g.header.Get("webhook-timestamp"), 10, 64)
			if now := b.clock.now().Unix(); err != nil || (i > 0 && now-at > 600) {
				t.Errorf("test %d is of %d, now it is %d", i, at, now)
			}
		}
		newest := rotate(m.GetDestinationId())
		test(m.GetDestinationId())
		mac := hmac.New(sha256.New, []byte(newest))
		mac.Write(raw.all()[0].body)
		if raw.all()[0].header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			t.Error("META_RAW is not signed by the new secret")
		}
		text := dump(t, b.db) + b.logs.String()
		for _, secret := range []string{first, second, third, newest, m.GetSecret()} {
			if strings.Contains(text, strings.TrimPrefix(secret, "whsec_")) {
				t.Error("a secret is kept or said in the clear")
			}
		}
	})
}

func TestTwoReplicasSendEachEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.start()
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{Phones: make([]graphsim.Phone, 6)})
	r := receive(t)
	b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL})
	for range 8 {
		for _, number := range signed.PhoneNumberIDs {
			b.say(number, 1)
		}
	}
	eventually(t, "all events", func() bool { return len(r.all("change.messages")) >= 48 })
	time.Sleep(600 * time.Millisecond) // time to do harm
	list := r.all("change.messages")
	for _, number := range signed.PhoneNumberIDs {
		if diff := cmp.Diff(b.stream(number), of(list, number)); diff != "" {
			t.Errorf("(-stream +received):\n%s", diff)
		}
	}
	if len(list) != 48 {
		t.Errorf("%d events came, want 48", len(list))
	}
}

func TestAnEventIsSentAgainWhoseSenderDiedBeforeItWroteItDown(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{})
	r := receive(t)
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
	time.Sleep(600 * time.Millisecond) // time to do harm
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
