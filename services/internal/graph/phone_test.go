package graph_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
)

const evilNext = `"next":"https://evil.example/steal?access_token=x"`

func TestAllPagesAreReadByCursorAndNextIsNeverFollowed(t *testing.T) {
	t.Parallel()
	m := setup(t,
		says(200, `{"data":[{"id":"1"},{"id":"2"}],"paging":{"cursors":{"after":"c+1="},`+evilNext+`}}`),
		says(200, `{"data":[{"id":"2"},{"id":3}],"paging":{"cursors":{"after":"c2"},`+evilNext+`}}`),
		says(200, `{"data":[{"id":"4"}],"paging":{"cursors":{"after":"c3"}}}`), // the last page has a cursor too
	)
	got, err := m.PhoneNumbers(t.Context(), waba, m.Credential(token()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]graph.PhoneNumber{{ID: "1"}, {ID: "2"}, {ID: "3"}, {ID: "4"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var cursors []string
	for _, r := range m.requests {
		cursors = append(cursors, r.query.Get("after"))
		if r.query.Get("appsecret_proof") != m.Proof(token()) || r.query.Get("limit") != "100" {
			t.Errorf("asked with %v", r.query)
		}
	}
	if diff := cmp.Diff([]string{"", "c+1=", "c2"}, cursors); diff != "" {
		t.Errorf("cursors (-want +got):\n%s", diff)
	}
}

func TestANumberIsReadWithAllItsWords(t *testing.T) {
	t.Parallel()
	body := `{"id":"` + phone + `","display_phone_number":"+55 11 5555-0100","verified_name":"Loja 👩‍👧","status":"CONNECTED",
		"quality_rating":"GREEN","platform_type":"CLOUD_API","is_on_biz_app":"true","code_verification_status":"VERIFIED",
		"name_status":"APPROVED","whatsapp_business_manager_messaging_limit":"TIER_2K",
		"health_status":{"can_send_message":"LIMITED","entities":[{"entity_type":"BUSINESS","id":"1","can_send_message":"LIMITED"}]}}`
	m := setup(t, says(200, body))
	got, err := m.PhoneNumber(t.Context(), phone, m.Credential(token()))
	if err != nil {
		t.Fatal(err)
	}
	want := graph.PhoneNumber{
		ID: phone, DisplayPhoneNumber: "+55 11 5555-0100", VerifiedName: "Loja 👩‍👧", Status: "CONNECTED", QualityRating: "GREEN",
		PlatformType: "CLOUD_API", IsOnBizApp: true, CodeVerificationStatus: "VERIFIED", NameStatus: "APPROVED",
		MessagingLimitTier: "TIER_2K", CanSendMessage: "LIMITED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFieldOfAnotherShapeDoesNotCostTheNumber(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"data":[{"id":"1","name_status":{"a":1},"verified_name":null,"status":7,
		"messaging_limit_tier":"TIER_1K"}],"paging":[]}`))
	got, err := m.PhoneNumbers(t.Context(), waba, m.Credential(token()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]graph.PhoneNumber{{ID: "1", Status: "7", MessagingLimitTier: "TIER_1K"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachVersionIsAskedForTheLimitThatItHas(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v23.0": "messaging_limit_tier", "v24.0": "whatsapp_business_manager_messaging_limit", "": "whatsapp_business_manager_messaging_limit",
	} {
		m := setup(t, says(200, `{"data":[]}`))
		c := graph.NewClient(graph.Config{BaseURL: m.base, Version: version, AppID: appID, AppSecret: secret.New(appSecret)})
		if _, err := c.PhoneNumbers(t.Context(), waba, c.Credential(token())); err != nil {
			t.Fatal(err)
		}
		fields := strings.Split(m.last().query.Get("fields"), ",")
		if fields[len(fields)-1] != want {
			t.Errorf("%s asked for %v", version, fields)
		}
	}
}

func TestAHalfListNeverPassesForTheWhole(t *testing.T) {
	t.Parallel()
	first := says(200, `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"a"},`+evilNext+`}}`)
	for name, second := range map[string]answer{
		"same cursor for ever": first,
		"no cursor":            says(200, `{"data":[{"id":"2"}],"paging":{`+evilNext+`}}`),
		"huge cursor":          says(200, `{"data":[],"paging":{"cursors":{"after":"`+strings.Repeat("x", 5000)+`"},`+evilNext+`}}`),
		"cursor no string":     says(200, `{"data":[],"paging":{"cursors":{"after":7},`+evilNext+`}}`),
		"no data":              says(200, `{"paging":{}}`),
		"null data":            says(200, `{"data":null}`),
		"data no list":         says(200, `{"data":{}}`),
		"item no object":       says(200, `{"data":["2"]}`),
		"item without id":      says(200, `{"data":[{"verified_name":"x"}]}`),
		"id no id":             says(200, `{"data":[{"id":"abc"}]}`),
		"flag no flag":         says(200, `{"data":[{"id":"2","is_on_biz_app":"maybe"}]}`),
		"truncated":            says(200, `{"data":[{"id":"2"}`),
		"html":                 says(502, `<html>`),
	} {
		m := setup(t, first, second)
		got, err := m.PhoneNumbers(t.Context(), waba, m.Credential(token()))
		if !errors.Is(err, graph.ErrNoVerdict) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if m.count() != 2 {
			t.Errorf("%s: %d requests", name, m.count())
		}
	}
}

func TestEndlessPagesEnd(t *testing.T) {
	t.Parallel()
	var answers []answer
	for i := range 150 {
		answers = append(answers, says(200, fmt.Sprintf(`{"data":[{"id":"%d"}],"paging":{"cursors":{"after":"c%d"},%s}}`, i, i, evilNext)))
	}
	m := setup(t, answers...)
	if _, err := m.PhoneNumbers(t.Context(), waba, m.Credential(token())); !errors.Is(err, graph.ErrNoVerdict) {
		t.Errorf("got %v", err)
	}
	if m.count() != 20 {
		t.Errorf("%d requests", m.count())
	}
}

func TestSubscriptionsAreMadeListedAndEnded(t *testing.T) {
	t.Parallel()
	m := setup(t,
		says(200, `{"success":true,"data":[]}`),
		says(200, `{"data":[{"whatsapp_business_api_data":{"id":6708438,"name":"x"}},{}],"paging":{"cursors":{"after":"a"},`+evilNext+`}}`),
		says(200, `{"data":[{"whatsapp_business_api_data":{"id":"`+appID+`"},"override_callback_uri":"https://x.example"}]}`),
		says(200, `{"success":"true"}`),
	)
	if err := m.Subscribe(t.Context(), waba, m.Credential(token())); err != nil {
		t.Fatal(err)
	}
	apps, err := m.SubscribedApps(t.Context(), waba, m.Credential(token()))
	if diff := cmp.Diff([]string{"6708438", appID}, apps); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if err := m.Unsubscribe(t.Context(), waba, m.Credential(token())); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, r := range m.requests {
		asked = append(asked, r.method+" "+r.path+" "+r.body)
	}
	const edge = " /v25.0/" + waba + "/subscribed_apps "
	if diff := cmp.Diff([]string{"POST" + edge, "GET" + edge, "GET" + edge, "DELETE" + edge}, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestThatASubscriptionDidNotSucceedIsMetasWord(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"success":false}`), says(200, `{"success":"false"}`), says(200, `{}`), says(200, `{"success":null}`))
	for i := range 4 {
		err := m.Subscribe(t.Context(), waba, m.Credential(token()))
		if err == nil || graph.IsSilence(err) != (i > 1) {
			t.Errorf("answer %d: %v", i, err)
		}
	}
}

func TestWhatMetaSaidHasNothingThatItDidNotSay(t *testing.T) {
	t.Parallel()
	m := setup(t, says(400, `{"error":{"message":"no","code":368}}`))
	err := m.Subscribe(t.Context(), waba, m.Credential(token()))
	var said *graph.Error
	if !errors.As(err, &said) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"metaCode": "368", "metaMessage": "no"}, said.Metadata()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestANumberIsRegisteredWithItsPINAsAString(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"success":true}`), says(200, `{"success":false}`), says(200, `{}`), says(200, `{"success":1}`))
	if err := m.Register(t.Context(), phone, secret.New("012345"), m.Credential(token())); err != nil {
		t.Fatal(err)
	}
	got := m.last()
	if got.body != `{"messaging_product":"whatsapp","pin":"012345"}` || got.header.Get("Content-Type") != "application/json" ||
		got.method != "POST" || got.path != "/v25.0/"+phone+"/register" {
		t.Errorf("asked %+v", got)
	}
	for range 3 {
		if err := m.Register(t.Context(), phone, pin(), m.Credential(token())); !errors.Is(err, graph.ErrNoVerdict) {
			t.Errorf("got %v", err)
		}
	}
}
