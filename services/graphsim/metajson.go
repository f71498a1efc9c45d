package graphsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonObject is an object on its way to a receiver.
type jsonObject = map[string]any

// metaJSON encodes a value as Meta does. It panics on values that are no JSON: they are the simulator's own.
func metaJSON(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("graphsim: encode webhook: %v", err))
	}
	return escapeASCII(bytes.TrimRight(b.Bytes(), "\n"))
}

// escapeASCII writes JSON as Meta sends it: ASCII alone, with lower-case \uXXXX, and / escaped too. Values, keys and
// their order stay. Because of this form a receiver that decodes and encodes again before it checks the signature
// fails on the first accent, as it does with Meta.
// Source: developers.facebook.com, Messenger Platform > Webhooks > Validating payloads.
func escapeASCII(src []byte) []byte {
	out := make([]byte, 0, len(src)+len(src)/8)
	inString := false
	for i := 0; i < len(src); {
		switch b := src[i]; {
		case b == '"':
			inString = !inString
			out = append(out, b)
			i++
		case !inString:
			out = append(out, b)
			i++
		case b == '\\' && src[i+1] == 'u': // valid JSON: four digits follow
			out = append(out, bytes.ToLower(src[i:i+6])...)
			i += 6
		case b == '\\':
			out = append(out, src[i:i+2]...)
			i += 2
		case b == '/':
			out = append(out, `\/`...)
			i++
		default:
			r, size := utf8.DecodeRune(src[i:])
			out = appendEscaped(out, r)
			i += size
		}
	}
	return out
}

func appendEscaped(out []byte, r rune) []byte {
	switch {
	case r == '<' || r == '%' || r == '@':
		return fmt.Appendf(out, `\u%04x`, r)
	case r < utf8.RuneSelf:
		return utf8.AppendRune(out, r)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(out, `\u%04x\u%04x`, high, low)
	default:
		return fmt.Appendf(out, `\u%04x`, r)
	}
}
