package graphsim

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestBodiesAreEscapedAsMetaDoes(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"a":"é/😀"}`:              `{"a":"\u00e9\/\ud83d\ude00"}`,
		`{"é":"\u00E9\/"}`:         `{"\u00e9":"\u00e9\/"}`,
		`{"a":"x@y.z <b> 5%"}`:     `{"a":"x\u0040y.z \u003cb> 5\u0025"}`,
		`{"a":"\"\\\n\u0000"}`:     `{"a":"\"\\\n\u0000"}`,
		`{"a":"\ud800","b":1e400}`: `{"a":"\ud800","b":1e400}`,
		`["\\/", "\\u00E9"]`:       `["\\\/", "\\u00E9"]`,
		`{"b":1,"a":2,"a":3}`:      `{"b":1,"a":2,"a":3}`,
	}
	for in, want := range cases {
		if got := string(escapeASCII([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func FuzzEscapingKeepsTheMeaning(f *testing.F) {
	f.Add(`{"a":"é/😀\u00E9"}`)
	f.Add(`["\\", "\ud800", 1]`)
	f.Fuzz(func(t *testing.T, text string) {
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil {
			return
		}
		escaped := escapeASCII([]byte(text))
		for _, b := range escaped {
			if b > 0x7f {
				t.Fatalf("%q is not ASCII", escaped)
			}
		}
		if err := json.Unmarshal(escaped, &after); err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q became %q", before, after)
		}
	})
}
