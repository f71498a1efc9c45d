package graphsim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMessageArrivesSignedAndTheAnswerSaysWhatTheReceiverSaid(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	a := s.post(t, "/_sim/messages", `{"phoneNumberId":"`+s.phone+`","from":"+55 11 90000-0001","text":"Olá/😀"}`)
	wantStatus(t, a, http.StatusOK)
	if a.at("delivered") != true || a.at("status") != 200.0 || a.str("body") != "thank you" || !strings.HasPrefix(a.str("wamid"), "wamid.HBg") {
		t.Errorf("answer is %s", a.text)
	}
	got := s.rc.list()[0]
	if !got.signed || !strings.Contains(got.body, `"body":"Ol\u00e1\/\ud83d\ude00"`) {
		t.Errorf("signed %v: %s", got.signed, got.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "facebookexternalua", "Content-Encoding": "",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	if legacy := got.header.Get("X-Hub-Signature"); !strings.HasPrefix(legacy, "sha1=") || len(legacy) != 45 {
		t.Errorf("legacy signature is %q", legacy)
	}
	if got.change(t, "messages", 0, "id") != a.str("wamid") || got.change(t, "contacts", 0, "wa_id") != "5511900000001" {
		t.Errorf("body is %s", got.body)
	}
}

func TestNothingIsSentToAnAppThatDidNotSubscribeAndTheAnswerSaysWhy(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	message := `{"phoneNumberId":"` + s.phone + `","text":"hi"}`
	for want, prepare := range map[string]func(){
		"not subscribed to the field messages": func() {
			s.sim.SetWebhook(WebhookSettings{CallbackURL: s.rc.url, Fields: []string{"account_update"}})
		},
		"no callback URL":        func() { s.sim.SetWebhook(WebhookSettings{}) },
		"not subscribed to WABA": func() { s.sim.Unsubscribe(s.waba) },
	} {
		prepare()
		a := s.post(t, "/_sim/messages", message)
		wantStatus(t, a, http.StatusOK)
		if a.at("delivered") != false || a.at("status") != 0.0 || !strings.Contains(a.str("reason"), want) {
			t.Errorf("answer is %s, want %q", a.text, want)
		}
		s.sim.SetWebhook(WebhookSettings{CallbackURL: s.rc.url})
		s.send(t, http.MethodPost, "/v25.0/"+s.waba+"/subscribed_apps", s.token, "")
	}
	if got := s.rc.list(); len(got) != 0 {
		t.Errorf("came all the same: %+v", got)
	}
	withheld := s.get(t, "/_sim/deliveries?state=withheld&wabaId="+s.waba, "")
	if strings.Count(withheld.text, `"reason"`) != 3 {
		t.Errorf("the log has %s", withheld.text)
	}

	s.sim.Unsubscribe(s.waba)
	if said := s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi", Sending: Sending{Force: true}}); !said.Delivered {
		t.Errorf("by force: %+v", said)
	}
}

func TestOnePostMayHoldSeveralChangesOfSeveralWABAs(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{WABAs: []WABA{{ID: "100", Phones: []Phone{{ID: "200"}}}, {ID: "101", Phones: []Phone{{ID: "201"}}}}})
	list := `"messages":[{"phoneNumberId":"200","text":"a"},{"phoneNumberId":"201","text":"b"},{"phoneNumberId":"200","text":"c"}]`
	shape := func(options string) []string {
		before := len(s.rc.list())
		a := s.post(t, "/_sim/messages", `{`+list+options+`}`)
		wantStatus(t, a, http.StatusOK)
		if wamids, _ := a.at("wamids").([]any); len(wamids) != 3 {
			t.Errorf("answer is %s", a.text)
		}
		shapes := []string{}
		for _, post := range s.rc.list()[before:] {
			text := ""
			entries, _ := post.at(t, "entry").([]any)
			for i := range entries {
				id, _ := post.at(t, "entry", i, "id").(string)
				text += id + ":"
				changes, _ := post.at(t, "entry", i, "changes").([]any)
				for j := range changes {
					body, _ := post.at(t, "entry", i, "changes", j, "value", "messages", 0, "text", "body").(string)
					text += body
				}
				text += " "
			}
			shapes = append(shapes, strings.TrimSpace(text))
		}
		return shapes
	}
	cases := map[string][]string{
		``:                                  {"100:a", "101:b", "100:c"},
		`,"batch":true`:                     {"100:ac 101:b"},
		`,"batch":"entries"`:                {"100:a 101:b 100:c"},
		`,"reverse":true`:                   {"100:c", "101:b", "100:a"},
		`,"duplicates":1,"batch":true`:      {"100:ac 101:b", "100:ac 101:b"},
		`,"reverse":true,"batch":"changes"`: {"100:ca 101:b"},
	}
	for options, want := range cases {
		if diff := cmp.Diff(want, shape(options)); diff != "" {
			t.Errorf("%s: POSTs differ (-want +got):\n%s", options, diff)
		}
	}
	if got := shape(`,"shuffle":true`); len(got) != 3 {
		t.Errorf("shuffled: %v", got)
	}
}

func TestEntryTimeFollowsTheFieldUnlessItIsToldOtherwise(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_790_000_000, 0)
	s := setupSubscribed(t, Config{Now: func() time.Time { return now }}, SignUp{})
	message := MessageSpec{PhoneNumberID: s.phone, Text: "hi"}
	s.sim.SendMessage(message)
	for _, at := range []EntryTime{TimeNow, TimeNone, 7} {
		message.Time = at
		s.sim.SendMessage(message)
	}
	s.sim.ApproveName(s.phone)
	s.post(t, "/_sim/phones/"+s.phone+":approveName", `{"time":false}`)
	want := []any{nil, 1790000000.0, nil, 7.0, 1790000000.0, nil}
	got := []any{}
	for _, post := range s.rc.list() {
		got = append(got, post.at(t, "entry", 0, "time"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("times differ (-want +got):\n%s", diff)
	}
}

func TestBodyOfOnesOwnIsSentToTheByte(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	cases := map[string]string{
		`"{\"a\": \"é\"}"`:          `{"a": "é"}`,
		`"not JSON"`:                `not JSON`,
		`{"b": "é/", "a": [1.0]}`:   `{"b":"\u00e9\/","a":[1.0]}`,
		`[]`:                        `[]`,
		`""`:                        ``,
		`{"object":"x","object":1}`: `{"object":"x","object":1}`,
	}
	for body, want := range cases {
		before := len(s.rc.list())
		a := s.post(t, "/_sim/webhooks", `{"body":`+body+`}`)
		wantStatus(t, a, http.StatusOK)
		got := s.rc.list()[before:]
		if len(got) != 1 || got[0].body != want || !got[0].signed || a.at("delivered") != true {
			t.Errorf("%s became %+v (%s), want %q", body, got, a.text, want)
		}
	}
	for _, body := range []string{`{}`, `{"body":{},"signature":"x"}`, `{"body":{},"duplicates":-1}`, `{"body":{},"batch":true}`} {
		wantStatus(t, s.post(t, "/_sim/webhooks", body), http.StatusBadRequest)
	}
	wantStatus(t, s.post(t, "/_sim/webhooks", `{"wabaId":"9","body":{}}`), http.StatusNotFound)
}

func TestBodyForAWABAIsGatedLikeItsEvents(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	s.sim.Unsubscribe(s.waba)
	messages := Webhook{WABAID: s.waba, Body: []byte(`{"entry":[{"changes":[{"field":"messages"}]}]}`)}
	if said := s.sim.Deliver(messages); said.Delivered || !strings.Contains(said.Reason, "not subscribed to WABA") {
		t.Errorf("messages: %+v", said)
	}
	partner := Webhook{
		WABAID: s.waba,
		Body:   []byte(`{"entry":[{"changes":[{"field":"account_update","value":{"event":"PARTNER_ADDED"}}]}]}`),
	}
	if said := s.sim.Deliver(partner); !said.Delivered {
		t.Errorf("PARTNER_ADDED: %+v", said)
	}
	messages.Force = true
	if said := s.sim.Deliver(messages); !said.Delivered {
		t.Errorf("by force: %+v", said)
	}
}

func TestForgedSignaturesAreSentOnceAndNeverAgain(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	lengths := map[string]int{SignatureWrong: 71, SignatureNone: 0, SignatureShort: 39, SignatureSHA1: 0}
	for signature, length := range lengths {
		before := len(s.rc.list())
		said := s.sim.Deliver(Webhook{Body: []byte(`{}`), Signature: signature})
		got := s.rc.list()[before]
		if said.Delivered || said.Status != http.StatusUnauthorized || len(got.header.Get("X-Hub-Signature-256")) != length {
			t.Errorf("%s: %+v with %v", signature, said, got.header)
		}
		if (got.header.Get("X-Hub-Signature") == "") != (signature == SignatureNone) {
			t.Errorf("%s: legacy signature is %q", signature, got.header.Get("X-Hub-Signature"))
		}
		s.waitDelivery(t, said.DeliveryIDs[0], DeliveryFailed, 1)
	}
	if said := s.sim.Deliver(Webhook{Body: []byte(`{}`), Secret: "an older secret"}); said.Status != http.StatusUnauthorized {
		t.Errorf("another secret: %+v", said)
	}
}
