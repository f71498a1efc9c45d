package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheReadmesAreTwins: the same headings, by level, and the same blocks of code.
func TestTheReadmesAreTwins(t *testing.T) {
	t.Parallel()
	headings, blocks := parseMarkdown(t, readDocument(t, "README.md"))
	titulos, blocos := parseMarkdown(t, readDocument(t, "README.pt-BR.md"))
	if diff := cmp.Diff(levels(headings), levels(titulos)); diff != "" {
		t.Errorf("headings differ:\n%s", diff)
	}
	if len(blocks) != len(blocos) {
		t.Fatalf("README.md has %d blocks of code, README.pt-BR.md %d", len(blocks), len(blocos))
	}
	for i, b := range blocks {
		if b.language == "mermaid" { // a picture has words in it
			continue
		}
		if diff := cmp.Diff(b.language+"\n"+b.text, blocos[i].language+"\n"+blocos[i].text); diff != "" {
			t.Errorf("README.md:%d and README.pt-BR.md:%d differ:\n%s", b.line, blocos[i].line, diff)
		}
	}
	for name, other := range map[string]string{"README.md": "[Português](README.pt-BR.md)", "README.pt-BR.md": "[English](README.md)"} {
		first, _, _ := strings.Cut(readDocument(t, name), "\n")
		if !strings.Contains(first, other) {
			t.Errorf("the first line of %s is %q, want %s in it", name, first, other)
		}
	}
}

func levels(headings []string) []string {
	var out []string
	for _, h := range headings {
		level, _, _ := strings.Cut(h, " ")
		out = append(out, level)
	}
	return out
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	anchor = regexp.MustCompile(`<a id="([^"]+)"></a>`)
)

// TestLinksLeadSomewhere follows the links between documents, down to the reasons of docs/errors.md.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	reasons := map[string]bool{}
	for _, found := range anchor.FindAllStringSubmatch(readDocument(t, "docs/errors.md"), -1) {
		reasons[found[1]] = true
	}
	documents, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range append(documents, more...) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			path, fragment, _ := strings.Cut(found[1], "#")
			if strings.Contains(path, "://") || path == "" {
				continue
			}
			target := filepath.Join(filepath.Dir(document), path)
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(document), found[1])
			}
			if strings.HasSuffix(path, "errors.md") && fragment != "" && !reasons[fragment] {
				t.Errorf("%s links to %s, and there is no such reason", filepath.Base(document), found[1])
			}
		}
	}
}
