package graphsim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (s *subscribed) sendGraph(t *testing.T, body string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v25.0/"+s.phone+"/messages", s.token, `{"messaging_product":"whatsapp"`+body+`}`)
}

// setupRegistered is setupSubscribed with a number that can send.
func setupRegistered(t *testing.T) *subscribed {
	t.Helper()
	s := setupSubscribed(t, Config{}, SignUp{})
	wantStatus(t, s.register(t, s.phone, s.token, "123456"), http.StatusOK)
	return s
}

// statuses are those of a message that came so far.
func (rc *receiver) statuses(t *testing.T, wamid string) []string {
	t.Helper()
	found := []string{}
	for _, post := range rc.list() {
		if post.change(t, "statuses", 0, "id") == wamid {
			name, _ := post.change(t, "statuses", 0, "status").(string)
			found = append(found, name)
		}
	}
	return found
}

func TestSentTextIsAcceptedAndItsStatusesFollow(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	a := s.sendGraph(t, `,"recipient_type":"individual","to":"+55 11 90000-0001","type":"text","text":{"body":"Olá"},"biz_opaque_callback_data":"ref-1"`)
	wantStatus(t, a, http.StatusOK)
	wamid, _ := a.at("messages").([]any)[0].(map[string]any)["id"].(string)
	want := []any{map[string]any{"input": "+55 11 90000-0001", "wa_id": "5511900000001"}}
	if diff := cmp.Diff(want, a.at("contacts")); diff != "" || !strings.HasPrefix(wamid, "wamid.") {
		t.Errorf("answer is %s (-want +got):\n%s", a.text, diff)
	}
	posts := s.rc.wait(t, 3)
	if diff := cmp.Diff([]string{"sent", "delivered", "read"}, s.rc.statuses(t, wamid)); diff != "" {
		t.Errorf("statuses differ (-want +got):\n%s", diff)
	}
	for _, post := range posts {
		if post.change(t, "statuses", 0, "biz_opaque_callback_data") != "ref-1" || post.change(t, "statuses", 0, "recipient_id") != "5511900000001" {
			t.Errorf("status is %s", post.body)
		}
	}
}

func TestTemplateToAUserIDIsAccepted(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	a := s.sendGraph(t, `,"recipient":"US.13491208655302741918","type":"template","template":{"name":"hello","language":{"code":"pt_BR"},"components":[]}`)
	wantStatus(t, a, http.StatusOK)
	if !strings.Contains(a.text, `"message_status":"accepted"`) || !strings.Contains(a.text, `"user_id":"US.13491208655302741918"`) || strings.Contains(a.text, "wa_id") {
		t.Errorf("answer is %s", a.text)
	}
	post := s.rc.wait(t, 1)[0]
	if post.change(t, "statuses", 0, "recipient_user_id") != "US.13491208655302741918" || post.change(t, "statuses", 0, "recipient_id") != nil {
		t.Errorf("status is %s", post.body)
	}
}

func TestReadMarkIsTakenAndNothingFollows(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	if a := s.sendGraph(t, `,"status":"read","message_id":"wamid.X"`); a.text != `{"success":true}` {
		t.Errorf("answer is %d %s", a.status, a.text)
	}
	wantError(t, s.sendGraph(t, `,"status":"read"`), 400, 100, 0)
	wantError(t, s.sendGraph(t, `,"status":"read","message_id":"5"`), 400, 131009, 0)
	wantError(t, s.sendGraph(t, `,"status":"seen","message_id":"wamid.X"`), 400, 100, 0)
	if got := s.sim.Deliveries(); len(got) != 0 {
		t.Errorf("the log has %+v", got)
	}
}

func TestMessagesThatMetaWouldNotTakeAreRefused(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	own := digits(s.sim.world.Phones[s.phone].DisplayPhoneNumber)
	text := `,"text":{"body":"hi"}`
	cases := map[string]int{
		text: 100, `,"to":"1","recipient":"US.1"` + text: 100, `,"to":"123"` + text: 131009, `,"to":"call me"` + text: 131009,
		`,"recipient":"5511900000001"` + text: 131009, `,"to":"` + own + `"` + text: 131021,
		`,"to":"5511900000001"`: 100, `,"to":"5511900000001","text":"hi"`: 100, `,"to":"5511900000001","text":{}`: 100,
		`,"to":"5511900000001","text":{"body":"` + strings.Repeat("é", 4097) + `"}`:                  100,
		`,"to":"5511900000001","type":"template"`:                                                    100,
		`,"to":"5511900000001","type":"template","template":{"name":"x"}`:                            100,
		`,"to":"5511900000001","type":"template","template":{"language":{}}`:                         100,
		`,"to":"5511900000001","type":"hologram"`:                                                    131051,
		`,"to":"5511900000001","recipient_type":"group"` + text:                                      100,
		`,"to":"5511900000001","biz_opaque_callback_data":"` + strings.Repeat("x", 513) + `"` + text: 100,
	}
	for body, code := range cases {
		wantError(t, s.sendGraph(t, body), 400, code, 0)
	}
	wantStatus(t, s.sendGraph(t, `,"to":"5511900000001","text":{"body":"`+strings.Repeat("é", 4096)+`"}`), http.StatusOK)
	wantError(t, s.send(t, http.MethodPost, "/v25.0/"+s.phone+"/messages", s.token, `{"to":"5511900000001"`+text+`}`), 400, 100, 0)
}

func TestUnregisteredNumberDoesNotSend(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	wantError(t, s.sendGraph(t, `,"to":"5511900000001","text":{"body":"hi"}`), 400, 133010, 0)
}

func TestLostAnswerDoesNotLoseTheStatuses(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	s.sim.AddFault(Fault{Path: "/*/messages", Drop: After})
	body := `{"messaging_product":"whatsapp","to":"5511900000001","text":{"body":"hi"},"biz_opaque_callback_data":"lost"}`
	if _, err := s.do(s.request(t, http.MethodPost, "/v25.0/"+s.phone+"/messages", s.token, body)); err == nil {
		t.Error("an answer came")
	}
	if got := s.rc.wait(t, 3)[2]; got.change(t, "statuses", 0, "biz_opaque_callback_data") != "lost" {
		t.Errorf("status is %s", got.body)
	}
}

func TestScriptedErrorSendsNothing(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	s.sim.AddFault(Fault{Path: "/*/messages", Error: &FaultError{Code: 131030, Subcode: 2655007}})
	wantError(t, s.sendGraph(t, `,"to":"5511900000001","text":{"body":"hi"}`), 400, 131030, 2655007)
	if got := s.sim.Deliveries(); len(got) != 0 {
		t.Errorf("the log has %+v", got)
	}
}

func TestBehaviorSaysWhichStatusesCome(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	wantStatus(t, s.post(t, "/_sim/behavior", `{"statuses":[]}`), http.StatusOK)
	wantStatus(t, s.post(t, "/_sim/behavior",
		`{"phoneNumberId":"`+s.phone+`","statuses":["read","sent","failed"],"error":{"code":131047},"delayMs":1}`), http.StatusOK)
	wantStatus(t, s.sendGraph(t, `,"to":"5511900000001","text":{"body":"hi"}`), http.StatusOK)
	posts := s.rc.wait(t, 3)
	got := []any{}
	for _, post := range posts {
		got = append(got, post.change(t, "statuses", 0, "status"))
	}
	if diff := cmp.Diff([]any{"read", "sent", "failed"}, got); diff != "" {
		t.Errorf("statuses differ (-want +got):\n%s", diff)
	}
	if posts[2].change(t, "statuses", 0, "errors", 0, "code") != 131047.0 || posts[2].change(t, "statuses", 0, "errors", 0, "title") != "Re-engagement message" {
		t.Errorf("failed status is %s", posts[2].body)
	}
	for _, body := range []string{`{"statuses":["lost"]}`, `{"delayMs":-1}`, `{"sync":{"outcome":"x"}}`, `{"sync":{"chunks":-2}}`, `{"x":1}`} {
		wantStatus(t, s.post(t, "/_sim/behavior", body), http.StatusBadRequest)
	}
	wantStatus(t, s.post(t, "/_sim/behavior", `{"phoneNumberId":"9"}`), http.StatusNotFound)
}

func TestATextReachesOnlyWhoWroteWithinADay(t *testing.T) {
	t.Parallel()
	s := setupRegistered(t)
	s.sim.SetBehavior(Behavior{Window: true, Statuses: []string{}})
	text := `,"text":{"body":"hi"}`
	wantError(t, s.sendGraph(t, `,"to":"5511900000001"`+text), 400, 131047, 0)
	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, From: "5511900000001", Text: "oi"})
	wantStatus(t, s.sendGraph(t, `,"to":"+55 11 90000-0001"`+text), http.StatusOK)
	wantStatus(t, s.sendGraph(t, `,"recipient":"`+userIDOf("5511900000001")+`"`+text), http.StatusOK)
	wantError(t, s.sendGraph(t, `,"to":"5511900000002"`+text), 400, 131047, 0)
	wantStatus(t, s.sendGraph(t, `,"to":"5511900000002","type":"template","template":{"name":"x","language":{"code":"pt_BR"}}`), http.StatusOK)
	s.sim.Advance(24*time.Hour + time.Second)
	wantError(t, s.sendGraph(t, `,"to":"5511900000001"`+text), 400, 131047, 0)
}
