package fault

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

func TestEveryReasonHasItsSentencesInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, reason := range reasons() {
		entry, ok := catalogue()[reason]
		if !ok {
			t.Errorf("%s is not in the catalogue", reason)
			continue
		}
		if entry.code == codes.OK || entry.code == codes.Unknown {
			t.Errorf("%s has the code %s", reason, entry.code)
		}
		for language, text := range map[Language]Text{English: entry.en, Portuguese: entry.pt} {
			for _, sentence := range []string{text.Happened, text.Do} {
				checkSentence(t, reason, language, sentence)
			}
		}
		if entry.en.Happened == entry.pt.Happened || entry.en.Do == entry.pt.Do {
			t.Errorf("%s is not translated", reason)
		}
	}
	if got, want := len(catalogue()), len(reasons()); got != want {
		t.Errorf("the catalogue has %d entries, the contract %d reasons", got, want)
	}
}

// checkSentence: Status puts the full stops, and nothing formats a sentence.
func checkSentence(t *testing.T, reason Reason, language Language, sentence string) {
	t.Helper()
	first, _ := utf8.DecodeRuneInString(sentence)
	switch {
	case sentence == "":
		t.Errorf("%s says nothing in %s", reason, language)
	case strings.TrimSpace(sentence) != sentence, strings.ContainsAny(sentence[len(sentence)-1:], ".!?,;:"):
		t.Errorf("%s, %s: %q ends with more than a word", reason, language, sentence)
	case strings.ContainsAny(sentence, "%\n\t"):
		t.Errorf("%s, %s: %q has a verb of fmt or a control character in it", reason, language, sentence)
	case !unicode.IsUpper(first):
		t.Errorf("%s, %s: %q does not begin like a sentence", reason, language, sentence)
	}
}

func TestDescribeKnowsReasonsByName(t *testing.T) {
	t.Parallel()
	got := Describe("PIN_REQUIRED", Portuguese)
	if want := catalogue()[errorsv1.ErrorReason_PIN_REQUIRED].pt; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{"", "ERROR_REASON_UNSPECIFIED", "OTHER_APP", "pin_required"} {
		if got := Describe(name, English); got != (Text{}) {
			t.Errorf("%q is described as %q", name, got)
		}
	}
}

func TestAReasonThatIsNewerThanWeIsInternal(t *testing.T) {
	t.Parallel()
	if got := New(Reason(9999)).Code(); got != codes.Internal {
		t.Errorf("got %s", got)
	}
}

func TestLanguageIsTheFirstThatWeSpeak(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header string
		want   Language
	}{
		{"", English},
		{"pt-BR", Portuguese},
		{"pt", Portuguese},
		{"PT-br", Portuguese},
		{"pt-PT,pt;q=0.9", Portuguese},
		{"en-US,en;q=0.9,pt;q=0.8", English},
		{"pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", Portuguese},
		{"de-DE, pt;q=0.5", Portuguese},
		{" , ;q=1, pt-BR", Portuguese},
		{"fr, *;q=0.1", English},
		{"pt;q=0,en", English},
		{"en ; Q = 0.000, pt;q=0.001", Portuguese},
		{"pt;q=0", English},
		{"ptx", English},
		{"x-pt", English},
		{strings.Repeat("xx,", 5000) + "pt", Portuguese},
	}
	for _, tt := range tests {
		if got := ParseLanguage(tt.header); got != tt.want {
			t.Errorf("%.40q is %s, want %s", tt.header, got, tt.want)
		}
	}
}
