package graphsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (b *bundle) conversation(t *testing.T, query url.Values) []Said {
	t.Helper()
	a := b.get(t, "/_sim/messages?"+query.Encode(), "")
	list := []Said{}
	if err := json.Unmarshal([]byte(a.text), &list); err != nil {
		t.Fatalf("%v: %s", err, a.text)
	}
	return list
}

func TestAPhoneShowsWhatBothSidesSaid(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Flow: FlowCoexistence})
	number := done.PhoneNumberIDs[0]
	b.post(t, "/_sim/messages", `{"phoneNumberId":"`+number+`","from":"+55 11 90000-0001","name":"<b>","text":"<script>oi</script>"}`)
	send := func(message string) {
		t.Helper()
		wantStatus(t, b.send(t, http.MethodPost, "/v25.0/"+number+"/messages", token, `{"messaging_product":"whatsapp",`+message+`}`), http.StatusOK)
	}
	send(`"to":"5511900000001","text":{"body":"olá"}`)
	send(`"to":"5511900000001","type":"template","template":{"name":"promo","language":{"code":"pt_BR"}}`)
	send(`"recipient":"` + userIDOf("5511900000001") + `","text":{"body":"by your user id"}`)
	send(`"to":"5511900000002","text":{"body":"somebody else"}`)
	b.sim.SendMessage(MessageSpec{PhoneNumberID: number, Kind: KindEcho, From: "5511900000001", Text: "do app"})
	b.sim.SendMessage(MessageSpec{PhoneNumberID: number, From: "5511900000001", Type: "image", Text: "foto"})
	b.sim.SendMessage(MessageSpec{PhoneNumberID: number, Kind: KindStatus, From: "5511900000001", Wamid: "wamid.x"})

	said := b.conversation(t, url.Values{"phoneNumberId": {number}, "customer": {"+55 11 90000-0001"}})
	got := []string{}
	for _, m := range said {
		if !strings.HasPrefix(m.ID, "wamid.") || m.Time.IsZero() {
			t.Errorf("said %+v", m)
		}
		got = append(got, m.By+" "+m.Type+" "+m.Text)
	}
	want := []string{
		"customer text <script>oi</script>", "business text olá", "business template promo", "business text by your user id",
		"app text do app", "customer image foto",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("said %q, want %q", got, want)
	}
	if all := b.conversation(t, nil); len(all) != len(want)+1 {
		t.Errorf("%d messages, want %d", len(all), len(want)+1)
	}
	if other := b.conversation(t, url.Values{"phoneNumberId": {"1"}}); len(other) != 0 {
		t.Errorf("another number has %+v", other)
	}
	b.sim.Reset()
	if all := b.conversation(t, nil); len(all) != 0 {
		t.Errorf("after a reset %+v", all)
	}
}

func TestWhatIsRefusedWasNotSaid(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	number := done.PhoneNumberIDs[0]
	a := b.send(t, http.MethodPost, "/v25.0/"+number+"/messages", token, `{"messaging_product":"whatsapp","to":"5511900000001","text":{"body":"x"}}`)
	wantError(t, a, 400, 133010, 0)
	wantStatus(t, b.post(t, "/_sim/messages", `{"messages":[{"phoneNumberId":"`+number+`","text":"a"},{"phoneNumberId":"1","text":"b"}]}`), http.StatusNotFound)
	if all := b.conversation(t, nil); len(all) != 0 {
		t.Errorf("said %+v", all)
	}
}

func TestNumbersAreListed(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	if a := b.get(t, "/_sim/numbers", ""); strings.TrimSpace(a.text) != "[]" {
		t.Errorf("numbers are %s", a.text)
	}
	b.sim.SignUp(SignUp{Flow: FlowCoexistence, WABAs: List[WABA]{{ID: "100", Name: "B", Phones: List[Phone]{{ID: "200", DisplayPhoneNumber: "+1 555"}}}}})
	token, _ := b.token(t, SignUp{WABAs: List[WABA]{{ID: "101", Name: "A", Phones: List[Phone]{{ID: "201"}}}}})
	b.send(t, http.MethodPost, "/v25.0/101/subscribed_apps", token, "")
	var list []Number
	if err := json.Unmarshal([]byte(b.get(t, "/_sim/numbers", "").text), &list); err != nil || len(list) != 2 {
		t.Fatalf("numbers are %+v, %v", list, err)
	}
	if first := list[0]; first.PhoneNumberID != "201" || !first.Subscribed || first.Coexistence || first.WABAID != "101" {
		t.Errorf("first is %+v", first)
	}
	if second := list[1]; second.DisplayPhoneNumber != "+1 555" || second.VerifiedName != "B" || second.Subscribed || !second.Coexistence {
		t.Errorf("second is %+v", second)
	}
}
