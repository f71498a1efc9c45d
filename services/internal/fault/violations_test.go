package fault

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// violationsOf are those of a status.
func violationsOf(st *status.Status) []*errdetails.BadRequest_FieldViolation {
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			return bad.GetFieldViolations()
		}
	}
	return nil
}

func TestAViolationIsNamedAndSaidInTheLanguageOfTheCaller(t *testing.T) {
	t.Parallel()
	e := Field("text.body", "holds a NUL character")
	for lang, want := range map[Language]string{English: "holds a NUL character", Portuguese: "contém um caractere NUL"} {
		st := e.Status(lang)
		v := violationsOf(st)[0]
		got := []string{v.GetField(), v.GetReason(), v.GetDescription(), v.GetLocalizedMessage().GetLocale(), v.GetLocalizedMessage().GetMessage()}
		if diff := cmp.Diff([]string{"text.body", "NUL_CHARACTER", "holds a NUL character", string(lang), want}, got); diff != "" {
			t.Errorf("%s: %s", lang, diff)
		}
		if sentence := e.text(lang).Happened; !strings.HasSuffix(sentence, "(text.body: "+want+")") {
			t.Errorf("%s: %q", lang, sentence)
		}
	}
}

func TestAViolationWithoutPortugueseIsSaidInEnglishAndNotCalledPortuguese(t *testing.T) {
	t.Parallel()
	e := Fields([]Violation{{Field: "x", Reason: "ODD", Description: "is odd"}})
	if v := violationsOf(e.Status(Portuguese))[0]; v.GetLocalizedMessage() != nil || v.GetDescription() != "is odd" {
		t.Errorf("the violation is %v", v)
	}
	if text := e.text(Portuguese).Happened; !strings.Contains(text, "(x: is odd)") {
		t.Errorf("the sentence is %q", text)
	}
}

// TestWhateverFieldIsToldHasWords reads the calls in the code of all services.
func TestWhateverFieldIsToldHasWords(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`fault\.Field\((?:[^"\n]|"[^"\n]*", )*?"([^"\n]+ [^"\n]+)"\)`)
	told := map[string]bool{}
	services := os.DirFS("../..")
	err := fs.WalkDir(services, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := fs.ReadFile(services, path)
		for _, match := range call.FindAllSubmatch(code, -1) {
			told[string(match[1])] = true
		}
		return err
	})
	if err != nil || len(told) < 15 {
		t.Fatalf("%d calls, %v", len(told), err)
	}
	for description := range told {
		if known := rules()[description]; known.reason == "" || known.portuguese == "" {
			t.Errorf("rules() lacks %q", description)
		}
	}
}
