package server_test

import (
	"bytes"
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

func TestMetaRawHasTheIDOfMetasEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		r := receive(t)
		b.destine(org1, &onboardingv1.CreateDestinationRequest{Kind: onboardingv1.Destination_META_RAW, Url: r.URL, EventTypes: []string{"change.account_update"}})
		b.uninstall(c.GetConnectionId(), signed.WABAIDs[0], "4711", "META_PARTNER_APP_UNINSTALLED_OF_ANOTHER_APP")
		if got := string(r.await(t, 1)[0].body); !strings.Contains(got, `"entry":[{"id":"2949480000000001",`) { // the partner's business
			t.Error(got)
		}
	})
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
		"a type":             {Url: good, EventTypes: []string{"messages"}},
		"a type that is not": {Url: good, EventTypes: []string{"connection.lost"}},
		"a type of META":     {Url: good, EventTypes: []string{"connection.*"}, Kind: onboardingv1.Destination_META_RAW},
		"a secret":           {Url: good, Secret: "not-a-secret-of-standard-webhooks"},
		"a short secret":     {Url: good, Secret: "whsec_c2hvcnRzaG9ydHNob3J0"},
		"no kind of a URL":   {Url: strings.Repeat("x", 3000)},
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
	wantFault(t, create(org1, &onboardingv1.CreateDestinationRequest{Url: good}), errorsv1.ErrorReason_LIMIT_REACHED)
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
	r := receive(t)
	d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: strings.Replace(r.URL, "127.0.0.1", "localhost", 1)})
	b.stop()
	b.egress = "10.0.0.0/8" // it was allowed before
	b.replica = b.start()
	for _, url := range []string{"http://127.0.0.1/", "https://localhost/", "https://2130706433/"} {
		_, err := b.hooks(org1).CreateDestination(t.Context(), &onboardingv1.CreateDestinationRequest{Kind: onboardingv1.Destination_EVENTS, Url: url})
		wantFault(t, err, errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
	}
	_, err := b.hooks(org1).TestDestination(t.Context(), &onboardingv1.TestDestinationRequest{DestinationId: d.GetDestinationId()})
	wantFault(t, err, errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
	b.connect(b.as(org1), graphsim.SignUp{})
	got := b.awaitDestination(org1, d.GetDestinationId(), "a refusal", func(d *onboardingv1.Destination) bool { return d.GetReason() != "" })
	if got.GetReason() != "the address is not allowed" || len(r.all()) != 0 {
		t.Errorf("%v, received %d", got, len(r.all()))
	}
}

// What receivers may have for a secret already.
const (
	ownAppSecret    = "the-receiver-has-this-of-Meta"
	secondOwnSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
)

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
		rotate := func(id, given string) string {
			t.Helper()
			req := &onboardingv1.RotateDestinationSecretRequest{DestinationId: id, Secret: given}
			resp, err := b.hooks(org1).RotateDestinationSecret(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			return resp.GetDestination().GetSecret()
		}
		first := d.GetSecret()
		second := rotate(d.GetDestinationId(), "")
		test(d.GetDestinationId())
		b.clock.advance(25 * time.Hour)
		test(d.GetDestinationId())
		third := rotate(d.GetDestinationId(), secondOwnSecret)
		_, err := b.hooks(org1).RotateDestinationSecret(t.Context(), &onboardingv1.RotateDestinationSecretRequest{
			DestinationId: d.GetDestinationId(), Secret: ownAppSecret, // which has no form that EVENTS could sign with
		})
		wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
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
		newest := rotate(m.GetDestinationId(), ownAppSecret)
		if third != secondOwnSecret || newest != ownAppSecret {
			t.Error("other secrets than those that were given")
		}
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
