package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/secret"
	broker "github.com/whatrack/connect/services/token-broker/server"
	onboarding "github.com/whatrack/connect/services/waba-onboarding/server"
)

// setting is one row of the table.
type setting struct{ name, fallback, text string }

// settingsOf lists the settings of a program as kong sees them. What has no default and is asked for by `check` in an
// empty environment is required.
func settingsOf(t *testing.T, program cli.Program) []setting {
	t.Helper()
	parser, err := kong.New(&struct{}{}, kong.Embed(program.Settings), kong.Vars(program.Vars))
	if err != nil {
		t.Fatal(err)
	}
	faults := faultsWithout(program)
	var list []setting
	for _, flag := range parser.Model.Flags {
		if flag.Name == "help" {
			continue
		}
		name := strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		s := setting{name: "`" + name + "`", fallback: "", text: flag.Help}
		if _, ok := flag.Target.Interface().(secret.Text); ok {
			s.name += ", `" + name + "_FILE`"
		}
		if also := flag.Tag.Get("also"); also != "" {
			s.name += ", `" + also + "`"
		}
		switch {
		case flag.HasDefault:
			s.fallback = "`" + flag.Default + "`"
		case regexp.MustCompile(`(?m)^\S+: ` + name + `( \(or \w+\))? is required`).MatchString(faults):
			s.fallback = "**required**"
		case regexp.MustCompile(`(?m)\b` + name + `\b.* are required, or INSECURE`).MatchString(faults):
			s.fallback = "**required**, or `INSECURE`"
		}
		list = append(list, s)
	}
	return list
}

// faultsWithout is what `check` says when nothing is set.
func faultsWithout(program cli.Program) string {
	var stderr bytes.Buffer
	cli.Main(context.Background(), cli.Process{Args: []string{"check"}, Stdout: &stderr, Stderr: &stderr}, program)
	return stderr.String()
}

// table is what the README shows: the settings of both, then those of each.
func table(t *testing.T) []setting {
	t.Helper()
	ofBroker, ofOnboarding := settingsOf(t, broker.Program()), settingsOf(t, onboarding.Program())
	find := func(list []setting, name string) (setting, bool) {
		i := slices.IndexFunc(list, func(s setting) bool { return s.name == name })
		if i < 0 {
			return setting{}, false
		}
		return list[i], true
	}
	var rows, brokers, onboardings []setting
	for _, s := range ofBroker {
		other, both := find(ofOnboarding, s.name)
		switch {
		case !both:
			s.text = "token-broker only. " + s.text
			brokers = append(brokers, s)
		case other.fallback != s.fallback:
			s.fallback += " · " + other.fallback
			rows = append(rows, s)
		default:
			rows = append(rows, s)
		}
	}
	for _, s := range ofOnboarding {
		if _, both := find(ofBroker, s.name); !both {
			s.text = "waba-onboarding only. " + s.text
			onboardings = append(onboardings, s)
		}
	}
	return slices.Concat(rows, brokers, onboardings)
}

// documented finds the table in a document: what stands before it, its rows, and what stands after.
func documented(t *testing.T, name string) (before string, rows []setting, after string) {
	t.Helper()
	const begin, end = "-update -->\n", "<!-- /settings -->"
	before, rest, ok := strings.Cut(readDocument(t, name), begin)
	inside, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of settings", name)
	}
	for line := range strings.SplitSeq(inside, "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) == 3 && strings.HasPrefix(line, "| `") {
			rows = append(rows, setting{strings.TrimPrefix(cells[0], "| "), cells[1], strings.TrimSuffix(cells[2], " |")})
		}
	}
	return before + begin, rows, end + after
}

func writeTable(t *testing.T, name string, head setting, rows []setting) {
	t.Helper()
	before, _, after := documented(t, name)
	text := fmt.Sprintf("\n| %s | %s | %s |\n|---|---|---|\n", head.name, head.fallback, head.text)
	for _, s := range rows {
		text += fmt.Sprintf("| %s | %s | %s |\n", s.name, s.fallback, s.text)
	}
	if err := os.WriteFile(filepath.Join(root, name), []byte(before+text+"\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSettingsAreThoseOfTheReadme compares the table with the programs. In Portuguese the descriptions are written by
// hand: those are kept, and a new setting arrives in English, for somebody to translate. Not parallel: it may write what
// other tests read.
func TestSettingsAreThoseOfTheReadme(t *testing.T) {
	want := table(t)
	_, translated, _ := documented(t, "README.pt-BR.md")
	portuguese := slices.Clone(want)
	for i, s := range portuguese {
		portuguese[i].fallback = strings.NewReplacer("**required**", "**obrigatório**", ", or ", ", ou ").Replace(s.fallback)
		for _, known := range translated {
			if known.name == s.name {
				portuguese[i].text = known.text
			}
		}
	}
	if *update {
		writeTable(t, "README.md", setting{"Setting", "Default", "What it is"}, want)
		writeTable(t, "README.pt-BR.md", setting{"Ajuste", "Padrão", "O que é"}, portuguese)
	}
	for name, rows := range map[string][]setting{"README.md": want, "README.pt-BR.md": portuguese} {
		_, got, _ := documented(t, name)
		if diff := cmp.Diff(rows, got, cmp.AllowUnexported(setting{})); diff != "" {
			t.Errorf("%s (go test ./services/devstack -run Settings -update):\n%s", name, diff)
		}
	}
	for i, s := range portuguese {
		if s.text == want[i].text {
			t.Errorf("%s is not translated", s.name)
		}
	}
}
