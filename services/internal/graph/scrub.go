package graph

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whatrack/connect/services/internal/secret"
)

const (
	redacted = "[redacted]"

	// shortestSecret: a shorter one would turn every text into a row of redactions and hides nothing.
	shortestSecret = 4

	// window is how much of a longer secret has to be seen for a part to be taken out: Meta quotes tokens cut short.
	window = 12

	// maxScrub bounds the work on a text of a few hundred runes. What is behind it is dropped.
	maxScrub = 2 << 10
)

// scrubber takes the secrets of one request out of texts that others wrote.
type scrubber struct{ forms []string }

func newScrubber(secrets []secret.Text) scrubber {
	var s scrubber
	for _, text := range secrets {
		if plain := text.Reveal(); len(plain) >= shortestSecret {
			s.forms = append(s.forms, formsOf(plain)...)
		}
	}
	return s
}

// formsOf are the ways in which a secret may be written: as it is, in a URL, in hex, in base64 at each of the three
// alignments that it can have in a longer text.
func formsOf(plain string) []string {
	hexed := hex.EncodeToString([]byte(plain))
	forms := []string{plain, url.QueryEscape(plain), url.PathEscape(plain), hexed, strings.ToUpper(hexed)}
	for shift, skip := range []int{0, 2, 3} {
		padded := append(make([]byte, shift), plain...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := enc.EncodeToString(padded)[skip:]
			if tail := len(padded) % 3; tail != 0 && len(encoded) > shortestSecret {
				encoded = encoded[:len(encoded)-1] // its last letter depends on what follows
			}
			forms = append(forms, encoded)
		}
	}
	return forms
}

// line makes a text fit to be shown and logged in one line: valid, printable, without the secrets, at most so many
// runes.
func (s scrubber) line(text string, runes int) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxScrub)], "")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }), " ")
	return cut(s.redact(text), runes)
}

func (s scrubber) redact(text string) string {
	var hide []bool
	for _, form := range s.forms {
		size := len(form)
		if size > window+shortestSecret {
			size = window
		}
		for i := 0; i+size <= len(text); i++ {
			if !strings.Contains(form, text[i:i+size]) {
				continue
			}
			if hide == nil {
				hide = make([]bool, len(text))
			}
			for j := i; j < i+size; j++ {
				hide[j] = true
			}
		}
	}
	if hide == nil {
		return text
	}
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !hide[i]:
			out.WriteByte(text[i])
		case i == 0 || !hide[i-1]:
			out.WriteString(redacted)
		}
	}
	return strings.ToValidUTF8(out.String(), "")
}

// clean makes a text of Meta's storable: valid UTF-8, of a bounded length, and without control characters, of which
// PostgreSQL refuses NUL. What joins or directs letters (emoji, Arabic) stays: it is part of a name.
func clean(text string, runes int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	return cut(text, runes)
}

func cut(text string, runes int) string {
	if utf8.RuneCountInString(text) <= runes {
		return text
	}
	kept := 0
	for i := range text {
		if kept == runes-1 {
			return text[:i] + "…"
		}
		kept++
	}
	return text
}
