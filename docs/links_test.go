package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"testing"
)

var (
	code   = regexp.MustCompile("(?ms)^```.*?^```|`[^`\n]*`")
	inline = regexp.MustCompile(`\]\(\s*<?([^)\s>]+)`)
	byName = regexp.MustCompile(`(?m)^\[[^\]]+\]:\s+(\S+)`)
)

func TestLinks(t *testing.T) {
	enforce(t, linksLead, []wrongTree{
		{"to a file", map[string]string{"README.md": "[a](docs/a.md)", "docs/a.md": "[b](../README.md#top)"}, ""},
		{"to a folder", map[string]string{"README.md": "[a](docs)", "docs/a.md": ""}, ""},
		{"to a host", map[string]string{"README.md": "[a](https://example.org/b) [c](mailto:d@example.org)"}, ""},
		{"to a heading", map[string]string{"README.md": "[a](#b)"}, ""},
		{"in code", map[string]string{"README.md": "`f[int](x)`\n\n```go\ng[int](y)\n```\n"}, ""},
		{"to nothing", map[string]string{"README.md": "[a](docs/b.md)"}, "README.md links to docs/b.md"},
		{"to nothing, from docs", map[string]string{"docs/a.md": "[a](docs/a.md)"}, "docs/a.md links to docs/a.md"},
		{"to nothing, with an image", map[string]string{"README.md": "[![a](b.svg)](https://example.org)"}, "README.md links to b.svg"},
		{"to nothing, by name", map[string]string{"README.md": "[a][b]\n\n[b]: c.md\n"}, "README.md links to c.md"},
		{"out of the tree", map[string]string{"README.md": "[a](../a.md)"}, "README.md links to ../a.md"},
	})
}

func linksLead(t *testing.T, tree fs.FS) (findings []string) {
	documents, err := fs.Glob(tree, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	inDocs, err := fs.Glob(tree, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range append(documents, inDocs...) {
		for _, link := range links(read(t, tree, document)) {
			if !leads(tree, path.Dir(document), link) {
				findings = append(findings, fmt.Sprintf("%s links to %s, which is not there", document, link))
			}
		}
	}
	return findings
}

func links(markdown string) (found []string) {
	text := code.ReplaceAllString(markdown, "")
	for _, pattern := range []*regexp.Regexp{inline, byName} {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			found = append(found, match[1])
		}
	}
	return found
}

func leads(tree fs.FS, from, link string) bool {
	target, err := url.Parse(link)
	if err != nil {
		return false
	}
	if target.Scheme != "" || target.Path == "" {
		return true // to elsewhere, or within the document
	}
	_, err = fs.Stat(tree, path.Join(from, target.Path))
	return err == nil
}
