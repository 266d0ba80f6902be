package docs

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestReliabilityTable: each test that reliability.md names exists.
func TestReliabilityTable(t *testing.T) {
	table, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(table), -1)
	if len(named) < 30 {
		t.Errorf("it names %d tests", len(named))
	}
	var tests strings.Builder
	err = fs.WalkDir(os.DirFS(".."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, "_test.go") {
			data, err := os.ReadFile(path.Join("..", name))
			tests.Write(data)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
}
