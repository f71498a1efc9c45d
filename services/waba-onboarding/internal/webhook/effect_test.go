package webhook

import (
	"testing"

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
		effect := Read(store.Change{Field: "messages", Value: []byte(
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
