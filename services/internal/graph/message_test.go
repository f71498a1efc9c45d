package graph_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/graph"
)

func TestAMessageIsSentAsMetaDocumentsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message graph.Message
		body    string
		answer  string
		want    graph.Sent
	}{
		"text": {
			graph.Message{To: "5511912345678", Type: "text", Text: &graph.Text{Body: "Olá <b>", PreviewURL: true}},
			`{"messaging_product":"whatsapp","to":"5511912345678","type":"text","text":{"body":"Olá <b>","preview_url":true},
				"biz_opaque_callback_data":"` + ref + `"}`,
			`{"messaging_product":"whatsapp","contacts":[{"input":"+5511912345678","wa_id":"551112345678"}],"messages":[{"id":"wamid.HBg="}]}`,
			graph.Sent{Wamid: "wamid.HBg=", WaID: "551112345678"},
		},
		"template to a user id": {
			graph.Message{Recipient: "US.1349", Type: "template", Template: &graph.Template{
				Name: "hello", Language: graph.TemplateLanguage{Code: "pt_BR"},
				Components: []map[string]any{{"type": "body", "parameters": []any{map[string]any{"type": "text", "text": "v"}}}},
			}},
			`{"messaging_product":"whatsapp","recipient":"US.1349","type":"template","template":{"name":"hello",
				"language":{"code":"pt_BR"},"components":[{"type":"body","parameters":[{"type":"text","text":"v"}]}]},
				"biz_opaque_callback_data":"` + ref + `"}`,
			`{"contacts":[{"input":"US.1349","user_id":"US.1349"}],"messages":[{"id":"wamid.X","message_status":"accepted"}]}`,
			graph.Sent{Wamid: "wamid.X", UserID: "US.1349"},
		},
	} {
		m := setup(t, says(200, c.answer))
		got, err := m.SendMessage(t.Context(), phone, c.message, ref, m.Credential(token()))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		r := m.last()
		if r.method != "POST" || r.path != "/v25.0/"+phone+"/messages" || r.query.Get("appsecret_proof") != m.Proof(token()) {
			t.Errorf("%s: asked %s %s", name, r.method, r.path)
		}
		var asked, want any
		if err := errors.Join(json.Unmarshal([]byte(r.body), &asked), json.Unmarshal([]byte(c.body), &want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnAnswerWithoutTheMessagesIDIsNoVerdict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"messages":[]}`, `{"messages":[{"id":""}]}`, `{"messages":[{"id":"a b"}]}`, `{"messages":[{"id":"a\u0000"}]}`,
		`{"messages":[{"id":"wamid.1"},{"id":"wamid.2"}]}`, `{"success":true}`, `{"messages":{}}`, `{"messages":[{"id":5}]}`,
	} {
		m := setup(t, says(200, body))
		if _, err := m.SendMessage(t.Context(), phone, textMessage(), ref, m.Credential(token())); !errors.Is(err, graph.ErrNoVerdict) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAMessageThatCanNotBeSentIsNot(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{}`))
	for name, call := range map[string]func() error{
		"a number that is none": func() error {
			_, err := m.SendMessage(t.Context(), "../me", textMessage(), ref, m.Credential(token()))
			return err
		},
		"no reference": func() error {
			_, err := m.SendMessage(t.Context(), phone, textMessage(), "", m.Credential(token()))
			return err
		},
		"no token": func() error {
			_, err := m.SendMessage(t.Context(), phone, textMessage(), ref, graph.Credential{})
			return err
		},
	} {
		if err := call(); !errors.Is(err, graph.ErrInvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.count() != 0 {
		t.Errorf("%d requests arrived", m.count())
	}
}
