package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// kinds are values of every kind of change that does something. N stands for another number each time.
// Source: developers.facebook.com, WhatsApp > Webhooks > Reference.
var kinds = []struct{ field, value string }{
	{"messages", `{"contacts":[{"profile":{"name":"Ana","username":"ana"},"wa_id":"16505551234","user_id":"US.1","parent_user_id":"US.ENT.1"}],
		"messages":[{"from":"16505551234","from_user_id":"US.1","id":"wamid.N","timestamp":"1749416383","type":"text","text":{"body":"hi"},"context":{"from":"1","id":"wamid.0"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"image","image":{"id":"1","mime_type":"image/jpeg","sha256":"x","caption":"c"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"location","location":{"latitude":1.5,"longitude":2,"name":"n","address":"a"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"contacts","contacts":[{"name":{"formatted_name":"Bia"},"phones":[{"phone":"1"}]}]}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"1","title":"t"}}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"order","order":{"catalog_id":"1","text":"t","product_items":[{"product_retailer_id":"1","quantity":"2"}]}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"system","system":{"body":"b","wa_id":"1","type":"user_changed_number"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"reaction","reaction":{"message_id":"wamid.0","emoji":"x"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"edit","edit":{"original_message_id":"wamid.0","message":{"type":"text","text":{"body":"new"}}}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"revoke","revoke":{"original_message_id":"wamid.0"}}]}`},
	{"messages", `{"messages":[{"from":"16505551234","id":"wamid.N","timestamp":"1749416383","type":"unsupported","errors":[{"code":131051,"title":"t"}]}]}`},
	{"messages", `{"statuses":[{"id":"wamid.N","status":"failed","timestamp":"1750030073","recipient_id":"16505551234","biz_opaque_callback_data":"x","errors":[{"code":131047,"title":"t","message":"m","error_data":{"details":"d"}}]}]}`},
	{"smb_message_echoes", `{"contacts":[{"wa_id":"16505551234"}],"message_echoes":[{"from":"15550783881","to":"16505551234","id":"wamid.N","timestamp":"1773387740","type":"text","text":{"body":"Hey"}}]}`},
	{"smb_app_state_sync", `{"state_sync":[{"type":"contact","contact":{"full_name":"Ana B","first_name":"Ana","phone_number":"165N"},"action":"add","metadata":{"timestamp":"1739321024"}}]}`},
	{"history", `{"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":55},"threads":[{"id":"16505551234","messages":[{"from":"15550783881","to":"16505551234","id":"wamid.N",
		"timestamp":"1739230955","type":"text","text":{"body":"b"},"history_context":{"status":"READ"}}]}]}]}`},
	{"history", `{"history":[{"errors":[{"code":2593109,"title":"t","message":"m","error_data":{"details":"d"}}]}]}`},
	{"phone_number_quality_update", `{"display_phone_number":"DISPLAY","event":"FLAGGED","current_limit":"TIER_1K","max_daily_conversations_per_business":"TIER_2K"}`},
	{"phone_number_name_update", `{"display_phone_number":"DISPLAY","decision":"REJECTED","requested_verified_name":"n","rejection_reason":"NAME_X"}`},
	{"account_review_update", `{"decision":"PENDING"}`},
	{"account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"r","expiration":1999999999,"remediation":"m"}]}`},
	{"account_update", `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"v"}}`},
	{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"April 17, 2025"}}`},
	{"business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_waba":"25"}`},
}

// nasty are what a parser, a column or an index may not take.
var nasty = []string{
	`null`, `-1`, `1e400`, `9223372036854775808`, `[]`, `{}`, `""`, `"\u0000"`, `"\ud83d"`, "\"\xff\xfe\"",
	`"253402300800"`, `253402300800`, `"99999999999999999999"`, `"` + strings.Repeat("ã", 9000) + `"`,
}

const here = `"@here@"`

// spoiled are the texts of a value with one of its parts, each in turn, put in place of here.
func spoiled(value any, put func(any) string) (texts []string) {
	texts = append(texts, put("@here@"))
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			texts = append(texts, spoiled(value[key], func(part any) string {
				changed := maps.Clone(value)
				changed[key] = part
				return put(changed)
			})...)
		}
	case []any:
		for i := range value {
			texts = append(texts, spoiled(value[i], func(part any) string {
				changed := slices.Clone(value)
				changed[i] = part
				return put(changed)
			})...)
		}
	}
	return texts
}

// spoiledChanges puts every nasty value into every place of every kind of change.
func spoiledChanges(t *testing.T, numberID, display string) (changes []string) {
	t.Helper()
	for _, kind := range kinds {
		var value map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(kind.value, "DISPLAY", display)), &value); err != nil {
			t.Fatal(err)
		}
		value["metadata"] = map[string]any{"phone_number_id": numberID}
		texts := spoiled(value, func(v any) string {
			text, _ := json.Marshal(v)
			return string(text)
		})
		for _, text := range texts {
			for _, bad := range nasty {
				n := fmt.Sprint(len(changes))
				text := strings.NewReplacer(here, bad, "wamid.N", "wamid."+n, "165N", "165"+n).Replace(text)
				changes = append(changes, fmt.Sprintf(`{"field":%q,"value":%s}`, kind.field, text))
			}
		}
	}
	return changes
}

func TestNoValueOfAnyChangeSpoilsItsNeighbours(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		number := c.GetPhoneNumbers()[0]
		posts, good := 0, map[string]bool{}
		for some := range slices.Chunk(spoiledChanges(t, number.GetPhoneNumberId(), number.GetDisplayPhoneNumber()), 99) {
			id := fmt.Sprintf("wamid.good.%d", posts)
			good[id], posts = true, posts+1
			some = slices.Insert(some, len(some)/2, fmt.Sprintf(`{"field":"messages","value":{"metadata":{"phone_number_id":%q},`+
				`"messages":[{"from":"5511987654321","id":%q,"timestamp":"1749416383","type":"text","text":{"body":"oi"}}]}}`, number.GetPhoneNumberId(), id))
			body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"time":1749416383,"changes":[{"field":"flows"},%s]}]}`, signed.WABAIDs[0], strings.Join(some, ","))
			for tries := 1; b.deliver(body) != http.StatusOK; tries++ { // while SQLite's one connection is taken, as Meta does
				if tries == 10 {
					t.Fatal("not kept")
				}
			}
		}
		t.Logf("%d posts", posts)
		eventually(t, "every good message", func() bool {
			for _, m := range b.allMessages(c.GetConnectionId()) {
				delete(good, m.GetWamid())
			}
			return len(good) == 0
		})
		hooks := b.hooks(platform)
		list, err := hooks.ListDeliveries(t.Context(), &onboardingv1.ListDeliveriesRequest{PageSize: 200})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list.GetDeliveries() {
			if d.GetState() != onboardingv1.Delivery_SPLIT {
				t.Errorf("delivery %s is %s", d.GetDeliveryId(), d.GetState())
			}
		}
	})
}
