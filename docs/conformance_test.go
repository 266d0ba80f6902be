package docs

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const table = "docs/conformance.md"

var (
	rowID     = regexp.MustCompile(`\b(?:PY-[A-Z]+|AIO|ER|GO|LK|MT|PB|PI|PS|TK)-[0-9]+\b`)
	fileNames = regexp.MustCompile("`([^`]+)`")
)

func TestConformance(t *testing.T) {
	const met, open, struck = "| PS-1 | b | s | met | `a_test.go` |", "| PS-1 | b | s | open | |", "| PS-1 | b | s | struck | no such thing |"
	named := map[string]string{"a_test.go": "package a // PS-1 answers at once"}
	enforce(t, tableIsTrue, []wrongTree{
		{"met", withTable(named, met), ""},
		{"open, and named already", withTable(named, open), ""},
		{"open", withTable(nil, open), ""},
		{"struck", withTable(nil, struck), ""},
		{"met by two files", withTable(named, "| PS-1 | b | s | met | `a_test.go`, `b_test.go` |"), "b_test.go does not name PS-1"},
		{"met, and named nowhere", withTable(map[string]string{"a_test.go": "package a // PS-11"}, met+"\n| PS-11 | b | s | open | |"), "a_test.go does not name PS-1"},
		{"met by no file", withTable(named, "| PS-1 | b | s | met | |"), "PS-1 is met, but by no test file"},
		{"met by a file that is no test", withTable(map[string]string{"a.go": "package a // PS-1"}, "| PS-1 | b | s | met | `a.go` |"), "a.go does not name PS-1"},
		{"struck without a reason", withTable(nil, "| PS-1 | b | s | struck | |"), "PS-1 is struck without a reason"},
		{"with another status", withTable(nil, "| PS-1 | b | s | maybe | |"), `PS-1 has the status "maybe"`},
		{"twice", withTable(nil, open+"\n"+open), "PS-1 stands there twice"},
		{"short of a column", withTable(nil, "| PS-1 | b | open | |"), "PS-1 has 4 columns"},
		{"named by a test alone", withTable(map[string]string{"a_test.go": "package a // PS-2"}, open), "a_test.go names PS-2, which has no row"},
		{"without a row", withTable(nil, ""), "no rows"},
	})
}

func withTable(files map[string]string, rows string) map[string]string {
	tree := map[string]string{table: rows + "\n"}
	for name, text := range files {
		tree[name] = text
	}
	return tree
}

// A row is one line of the table, already split.
type row struct{ id, status, evidence string }

// tableIsTrue holds the table against what the test files name. The files of
// this folder are about the table and count for nothing.
func tableIsTrue(t *testing.T, tree fs.FS) (findings []string) {
	rows, findings := rows(read(t, tree, table))
	tests := map[string][]string{} // the ids that each file names
	walk(t, tree, func(name string) {
		if strings.HasSuffix(name, "_test.go") && !within(name, "docs") {
			tests[name] = rowID.FindAllString(read(t, tree, name), -1)
		}
	})
	seen := map[string]bool{}
	for _, row := range rows {
		findings = append(findings, row.faults(tests)...)
		if seen[row.id] {
			findings = append(findings, row.id+" stands there twice")
		}
		seen[row.id] = true
	}
	for name, ids := range tests {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if !seen[id] {
				findings = append(findings, fmt.Sprintf("%s names %s, which has no row", name, id))
			}
		}
	}
	return findings
}

func rows(markdown string) (rows []row, findings []string) {
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|") || rowID.FindString(cells[0]) != cells[0] || cells[0] == "":
		case len(cells) != 5:
			findings = append(findings, fmt.Sprintf("%s has %d columns, not 5", cells[0], len(cells)))
		default:
			rows = append(rows, row{id: cells[0], status: cells[3], evidence: cells[4]})
		}
	}
	if len(rows)+len(findings) == 0 {
		findings = append(findings, table+" has no rows")
	}
	return rows, findings
}

func (r row) faults(tests map[string][]string) (findings []string) {
	switch r.status {
	case "open":
	case "struck":
		if r.evidence == "" {
			findings = append(findings, r.id+" is struck without a reason")
		}
	case "met":
		files := fileNames.FindAllStringSubmatch(r.evidence, -1)
		if len(files) == 0 {
			findings = append(findings, r.id+" is met, but by no test file")
		}
		for _, file := range files {
			if !slices.Contains(tests[file[1]], r.id) {
				findings = append(findings, fmt.Sprintf("%s does not name %s, which it is said to meet", file[1], r.id))
			}
		}
	default:
		findings = append(findings, fmt.Sprintf("%s has the status %q; it may be met, open or struck", r.id, r.status))
	}
	return findings
}
