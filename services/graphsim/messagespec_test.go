package graphsim

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestWebhooksHaveMetasShape(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{Now: func() time.Time { return time.Unix(1_790_000_000, 0) }},
		SignUp{WABAs: []WABA{{ID: "100", Phones: []Phone{{ID: "200", DisplayPhoneNumber: "+55 11 98888-7777"}}}}})
	specs := []struct{ name, spec string }{
		{"text", `{"text":"Olá 😀","name":"Ana","username":"ana","replyTo":"wamid.B","referral":{"source_url":"https://fb.me/x"}}`},
		{"bsuid_absent", `{"text":"hi","bsuid":"b"}`},
		{"bsuid_empty", `{"text":"hi","bsuid":"c"}`},
		{"bsuid_in_phone", `{"text":"hi","bsuid":"d","userId":"US.13490000000000001"}`},
		{"bsuid_none", `{"text":"hi","bsuid":"none"}`},
		{"own_content", `{"type":"image","image":{"id":"1","mime_type":"image/png"}}`},
		{"unsupported", `{"type":"unsupported"}`},
		{"edit", `{"kind":"edit","wamid":"wamid.B","text":"better"}`},
		{"revoke", `{"kind":"revoke","wamid":"wamid.B"}`},
		{"echo", `{"kind":"echo","to":"5511900000001","text":"from the app"}`},
		{"echo_revoke", `{"kind":"echo","type":"revoke","wamid":"wamid.B"}`},
		{"status", `{"kind":"status","wamid":"wamid.B","status":"sent","bizOpaqueCallbackData":"x"}`},
		{"status_failed", `{"kind":"status","wamid":"wamid.B","status":"failed","error":{"code":131047}}`},
		{"history", `{"kind":"history","text":"old","history":{"phase":1,"chunkOrder":2,"progress":55,"fromBusiness":true}}`},
		{"history_declined", `{"kind":"history","history":{"declined":true}}`},
		{"history_media", `{"kind":"history","type":"image","image":{"id":"1"},"history":{"followUp":true}}`},
		{"state_sync", `{"kind":"state_sync","name":"Ana B"}`},
		{"state_sync_remove", `{"kind":"state_sync","action":"remove"}`},
	}
	var got strings.Builder
	for i, c := range specs {
		a := s.post(t, "/_sim/messages", `{"phoneNumberId":"200","id":"wamid.A",`+c.spec[1:])
		if a.at("delivered") != true {
			t.Fatalf("%s: %d %s", c.name, a.status, a.text)
		}
		got.WriteString(c.name + "\n" + s.rc.list()[i].body + "\n\n")
	}
	path := filepath.Join("testdata", "webhooks.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("bodies differ (-want +got); -update writes them anew:\n%s", diff)
	}
}

func TestEveryTypeOfMessageHasASample(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	for i, messageType := range sampleTypes() {
		s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Type: messageType, Text: "hi", Wamid: "wamid.B"})
		got := s.rc.list()[i]
		key := contentKey(messageType)
		if got.change(t, "messages", 0, "type") != messageType || key != "" && got.change(t, "messages", 0, key) == nil {
			t.Errorf("%s: %s", messageType, got.body)
		}
	}
}

func TestMessageSpecsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	cases := map[string]string{
		`"text":"x","colour":1`:                  "colour",
		`"from":"x","text":"x"`:                  "from",
		`"from":"1","to":"2","text":"x"`:         "from and to",
		`"kind":"fax"`:                           "kind",
		`"kind":"message"`:                       "text",
		`"type":"hologram"`:                      "hologram",
		`"type":5`:                               "type",
		`"type":"image","image":{},"content":{}`: "content",
		`"kind":"status"`:                        "wamid",
		`"kind":"status","status":"lost"`:        "status",
		`"kind":"edit","text":"x"`:               "wamid",
		`"text":"x","bsuid":"e"`:                 "bsuid",
		`"text":"x","userId":"me"`:               "userId",
		`"kind":"state_sync","action":"paint"`:   "action",
		`"text":"x","duplicates":-1`:             "duplicates",
		`"text":"x","batch":"boxes"`:             "batch",
		`"text":"x","delayMs":-1`:                "delayMs",
		`"text":"x","time":"noon"`:               "time",
		`"messages":[]`:                          "phoneNumberId",
		`"messages":[{"text":"x"}]`:              "phoneNumberId",
	}
	for spec, want := range cases {
		a := s.post(t, "/_sim/messages", `{"phoneNumberId":"`+s.phone+`",`+spec+`}`)
		if a.status != http.StatusBadRequest || !strings.Contains(a.str("error"), want) {
			t.Errorf("%s answers %d %s, want 400 with %q", spec, a.status, a.text, want)
		}
	}
	wantStatus(t, s.post(t, "/_sim/messages", `{"messages":[]}`), http.StatusBadRequest)
	wantStatus(t, s.post(t, "/_sim/messages", `{"phoneNumberId":"9","text":"x"}`), http.StatusNotFound)
	wantStatus(t, s.post(t, "/_sim/messages", `{"messages":[{"phoneNumberId":"`+s.phone+`","text":"x","time":1}]}`), http.StatusBadRequest)
	if got := s.rc.list(); len(got) != 0 {
		t.Errorf("sent all the same: %+v", got)
	}
}

func TestSameNumberIsTheSamePersonEverywhere(t *testing.T) {
	t.Parallel()
	first, again, other := userIDOf("5511"), userIDOf("5511"), userIDOf("5512")
	if first != again || first == other || !isUserID(first) {
		t.Errorf("user ids are %s, %s and %s", first, again, other)
	}
	if one, two := newWamid("5511"), newWamid("5511"); one == two {
		t.Errorf("the wamid %s comes twice", one)
	}
}
