package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestAStatusNamesAMessageOfOursInOurOwnFormAlone(t *testing.T) {
	t.Parallel()
	const id = "0193d3d0-0000-7000-8000-00000000abcd"
	for opaque, ours := range map[string]bool{
		`"` + id + `"`: true, `"0193D3D0-0000-7000-8000-00000000ABCD"`: false, `"{` + id + `}"`: false, `"urn:uuid:` + id + `"`: false,
		`"0193d3d0000070008000` + `00000000abcd"`: false, `" ` + id + `"`: false, `"order-17"`: false, `""`: false, `7`: false,
		`{"id":"` + id + `"}`: false, `null`: false,
	} {
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(
			`{"statuses":[{"id":"wamid.1","status":"sent","timestamp":"1750030073","biz_opaque_callback_data":` + opaque + `}]}`)})
		if len(effect.Statuses) != 1 || effect.Statuses[0].Wamid != "wamid.1" || effect.Statuses[0].Sent == nil {
			t.Errorf("%s: effect = %+v", opaque, effect)
			continue
		}
		want := "00000000-0000-0000-0000-000000000000"
		if ours {
			want = id
		}
		if got := effect.Statuses[0].MessageID.String(); got != want {
			t.Errorf("%s: names %s", opaque, got)
		}
	}
}

func TestAStatusWithoutATimeIsOfWhenItCame(t *testing.T) {
	t.Parallel()
	came, told := time.Unix(1750040000, 0).UTC(), time.Unix(1750030073, 0).UTC()
	for timestamp, want := range map[string]time.Time{
		`"timestamp":"1750030073",`: told, `"timestamp":1750030073,`: told, `"timestamp":"1750030073123",`: told, ``: came,
		`"timestamp":"2025-06-15T23:27:53Z",`: came, `"timestamp":"",`: came, `"timestamp":null,`: came, `"timestamp":1750030073.5,`: came,
		`"timestamp":{},`: came, `"timestamp":0,`: came, `"timestamp":"253402300800",`: came,
	} {
		for status, at := range map[string]func(store.StatusFact) *time.Time{
			"sent":      func(s store.StatusFact) *time.Time { return s.Sent },
			"delivered": func(s store.StatusFact) *time.Time { return s.Delivered },
			"read":      func(s store.StatusFact) *time.Time { return s.Read },
			"played":    func(s store.StatusFact) *time.Time { return s.Read },
			"failed":    func(s store.StatusFact) *time.Time { return s.Failed },
		} {
			effect := Reader{}.Read(store.Change{Field: "messages", ReceiveTime: came, Value: []byte(
				`{"statuses":[{` + timestamp + `"id":"wamid.1","status":"` + status + `","errors":[{"code":131047}]}]}`)})
			if len(effect.Statuses) != 1 || at(effect.Statuses[0]) == nil || !at(effect.Statuses[0]).Equal(want) {
				t.Errorf("%s %s: %+v", status, timestamp, effect.Statuses)
			}
		}
	}
}

func TestAnEditWithoutATimeIsOfWhenItCame(t *testing.T) {
	t.Parallel()
	came := time.Unix(1750040000, 0).UTC()
	for what, want := range map[string]*time.Time{
		`"edit":{"original_message_id":"wamid.0","message":{"text":{"body":"new"}}}`: &came, `"text":{"body":"new"}`: nil,
	} {
		effect := Reader{}.Read(store.Change{Field: "messages", ReceiveTime: came, Value: []byte(
			`{"messages":[{"id":"wamid.1","timestamp":"soon",` + what + `}]}`)})
		if len(effect.Messages) != 1 || effect.Messages[0].Text != "new" || !cmp.Equal(effect.Messages[0].MessageTime, want) {
			t.Errorf("%s: %+v", what, effect.Messages)
		}
	}
}

func TestAnErrorIsReadWhateverItsCodeIs(t *testing.T) {
	t.Parallel()
	for errors, want := range map[string]string{
		`[{"code":131047,"title":"Re-engagement"}]`: "131047 Re-engagement", `[{"code":"131047","title":"Re-engagement"}]`: "131047 Re-engagement",
		`[{"code":131049,"title":"Held","message":"Held","error_data":{"details":"Not \n now. "}}]`: "131049 Held: Not now.",
		`[{"code":1,"title":"T","error_data":"words"}]`:                                             "1 T", `[{"code":1,"title":"T","error_data":{"details":7}}]`: "1 T",
		`[{"code":{},"title":"Re-engagement"}]`: "0 Re-engagement", `[{"code":"E1","title":7}]`: "E1 ", `["x"]`: "0 ", `[]`: "", `{}`: "",
	} {
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(
			`{"statuses":[{"errors":` + errors + `,"id":"wamid.1","status":"failed","timestamp":"1750030073"}],` +
				`"messages":[{"errors":` + errors + `,"id":"wamid.2"}]}`)})
		if len(effect.Statuses) != 1 || effect.Statuses[0].Error != want || effect.Statuses[0].Failed == nil {
			t.Errorf("%s: %+v", errors, effect.Statuses)
		}
		if len(effect.Messages) != 1 || effect.Messages[0].Error != want {
			t.Errorf("%s: %+v", errors, effect.Messages)
		}
	}
}

func TestALongTextIsKeptWhole(t *testing.T) {
	t.Parallel()
	for _, character := range []string{"a", "é", "漢", "👍"} {
		long := strings.Repeat(character, 4096)
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(`{"messages":[{"id":"wamid.1","text":{"body":"` + long + `"}}]}`)})
		if len(effect.Messages) != 1 || effect.Messages[0].Text != long {
			t.Errorf("of 4096 times %s, %d bytes are left", character, len(effect.Messages[0].Text))
		}
	}
}

func TestWhatAPersonReadsOfAMessage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`"type":"text","text":{"body":"oi"}`:                                                                           "oi",
		`"type":"image","image":{"id":"1","caption":"foto"}`:                                                           "foto",
		`"type":"document","document":{"id":"1","filename":"nota.pdf"}`:                                                "nota.pdf",
		`"type":"button","button":{"text":"Sim","payload":"YES"}`:                                                      "Sim",
		`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"1","title":"Não"}}`:           "Não",
		`"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"1","title":"Azul"}}`:              "Azul",
		`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"body":"Enviado"}}`:                       "Enviado",
		`"type":"reaction","reaction":{"message_id":"wamid.0","emoji":"👍"}`:                                            "👍",
		`"type":"location","location":{"latitude":-23.5,"longitude":-46.6,"name":"Loja"}`:                              "Loja",
		`"type":"contacts","contacts":[{"name":{"formatted_name":"Ana"}},{"name":{"formatted_name":"Bia"}}]`:           "Ana, Bia",
		`"type":"order","order":{"catalog_id":"1","text":"rápido"}`:                                                    "rápido",
		`"type":"system","system":{"body":"Ana mudou de número","type":"user_changed_number"}`:                         "Ana mudou de número",
		`"type":"edit","edit":{"original_message_id":"wamid.0","message":{"type":"image","image":{"caption":"nova"}}}`: "nova",
		`"type":"sticker","sticker":{"id":"1"}`:                                                                        "",
		`"type":"text","text":"not as documented","order":[1]`:                                                         "",
		`"type":"text","text":{"body":"oi"},"contacts":{"a":1}`:                                                        "oi",
		`"type":"text","errors":[{"code":"none"}],"text":{"body":"oi"}`:                                                "oi",
		`"type":"text","edit":[],"revoke":7,"from":{},"text":{"body":"oi"}`:                                            "oi",
		`"type":"text","timestamp":"soon","text":{"body":"timeless"}`:                                                  "timeless",
		`"type":"text","timestamp":{"at":1},"text":{"body":"timeless"}`:                                                "timeless",
	} {
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(`{"messages":[{` + message + `,"id":"wamid.1","from":"5511987654321"}]}`)})
		if len(effect.Messages) != 1 || effect.Messages[0].Text != want {
			t.Errorf("%s: %+v", message, effect.Messages)
		}
	}
}
