package webhook

import (
	"encoding/json"
	"testing"
)

func TestATimeOfMetasIsOneThatCanBeShownOrNone(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`1739321024`: "2025-02-12T00:43:44Z", `"1739321024"`: "2025-02-12T00:43:44Z", `"1739321024000"`: "2025-02-12T00:43:44Z",
		`1739321024999`: "2025-02-12T00:43:44Z", `1`: "1970-01-01T00:00:01Z", `253402300799`: "9999-12-31T23:59:59Z",
		`253402300800`: "", `"253402300800"`: "", `999999999999`: "", `1099511627776`: "2004-11-03T19:53:47Z", `17393210240000`: "",
		`9223372036854775807`: "", `9223372036854775808`: "", `0`: "", `"0"`: "", `-1`: "", `1739321024.5`: "", `1e9`: "",
		`"2026-11-24T00:00:00Z"`: "", `""`: "", `"soon"`: "", `null`: "", `true`: "", `[1]`: "", `{}`: "",
	} {
		var part struct {
			At seconds `json:"at"`
		}
		if err := json.Unmarshal([]byte(`{"at":`+raw+`}`), &part); err != nil {
			t.Errorf("%s spoils its neighbours: %v", raw, err)
			continue
		}
		got := ""
		if at := part.At.time(); at != nil {
			text, err := at.MarshalJSON()
			if err != nil {
				t.Errorf("%s can not be shown: %v", raw, err)
				continue
			}
			got = string(text[1 : len(text)-1])
		}
		if got != want {
			t.Errorf("%s is %q, want %q", raw, got, want)
		}
	}
}
