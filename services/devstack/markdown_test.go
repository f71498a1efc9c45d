package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// update makes tests write what they would compare with.
var update = flag.Bool("update", false, "write generated parts of documents anew")

// root is the folder of the repository.
const root = "../.."

func readDocument(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// block is one fenced block of code.
type block struct {
	line     int // of the fence
	language string
	text     string
	// answers is the block right below, with nothing but an empty line between: what this one prints.
	answers *block
}

// headings and blocks of a document. Blocks in lists come without their indentation.
func parseMarkdown(t *testing.T, text string) (headings []string, blocks []*block) {
	t.Helper()
	var open *block
	indent, adjacent := "", false
	for i, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case open != nil && trimmed == "```":
			open, adjacent = nil, true
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case strings.HasPrefix(trimmed, "```"):
			indent = line[:strings.Index(line, "`")]
			open = &block{line: i + 1, language: strings.TrimPrefix(trimmed, "```")}
			if adjacent {
				blocks[len(blocks)-1].answers = open
			}
			blocks = append(blocks, open)
		case trimmed != "":
			adjacent = false
			if strings.HasPrefix(line, "#") {
				headings = append(headings, line)
			}
		}
	}
	if open != nil {
		t.Fatalf("the block that begins at line %d has no end", open.line)
	}
	return headings, blocks
}

// anything stands for what differs from time to time, or was left out.
const anything = "…"

// matches tells whether an answer is what a document prints. In JSON, space between tokens does not count; the ellipsis
// stands for the rest of a string inside of one, and for anything outside.
func (b *block) matches(t *testing.T, printed string) bool {
	t.Helper()
	pattern, normal, inString := b.text, printed, "[^\n]*"
	if b.language == "json" {
		pattern, normal, inString = compact(b.text), compact(printed), `[^"]*`
	}
	var expression strings.Builder
	quoted := false
	for _, r := range pattern {
		switch {
		case string(r) != anything:
			quoted = quoted != (r == '"')
			expression.WriteString(regexp.QuoteMeta(string(r)))
		case quoted || b.language != "json":
			expression.WriteString(inString)
		default:
			expression.WriteString(".*")
		}
	}
	return regexp.MustCompile(`(?s)\A` + expression.String() + `\z`).MatchString(normal)
}

// compact takes away the space between tokens. It works on text, since what a document prints is not quite JSON.
func compact(text string) string {
	var out strings.Builder
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(" \t\r\n", r):
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func TestTheEllipsisStandsForAnything(t *testing.T) {
	t.Parallel()
	tests := []struct {
		language, pattern, printed string
		want                       bool
	}{
		{"json", `{"a": "…", "b": 1}`, `{"a":"x y",  "b":1}`, true},
		{"json", `{"a": "…", "b": 1}`, `{"a":"x","c":"y","b":1}`, false},
		{"json", `{"a": "…", …, "b": 1}`, `{"a":"x","c":"y","b":1}`, true},
		{"json", `{"a": "…", …}`, `{"a":"x","c":[{}]}`, true},
		{"json", `{"a": "b c"}`, `{"a":"bc"}`, false},
		{"json", `{"a": 1}`, `{"a":1}{}`, false},
		{"text", "a … b\n", "a x y b\n", true},
		{"text", "a … b\n", "a x\ny b\n", false},
	}
	for _, tt := range tests {
		if got := (&block{language: tt.language, text: tt.pattern}).matches(t, tt.printed); got != tt.want {
			t.Errorf("%s is %s: %v, want %v", tt.pattern, tt.printed, got, tt.want)
		}
	}
}
