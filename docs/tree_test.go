package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// repository is the tree that every rule must hold for.
var repository = os.DirFS("..")

// A goFile is what the rules ask of one Go file, whichever system it is for.
type goFile struct {
	path, dir string
	pkg       string // as its package clause says
	imports   []string
	comment   string // the comment on its package clause
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// goFiles parses the Go files of the module at the root of tree.
func goFiles(t *testing.T, tree fs.FS) []goFile {
	t.Helper()
	var files []goFile
	walk(t, tree, func(name string) {
		if path.Ext(name) == ".go" {
			files = append(files, parse(t, tree, name))
		}
	})
	return files
}

func parse(t *testing.T, tree fs.FS, name string) goFile {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), name, read(t, tree, name), parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	file := goFile{path: name, dir: path.Dir(name), pkg: parsed.Name.Name}
	if parsed.Doc != nil {
		file.comment = strings.TrimSpace(parsed.Doc.Text())
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		file.imports = append(file.imports, imported)
	}
	return file
}

// walk visits the files that belong to the module at the root of tree: not
// those of the modules inside it, test data, or what begins with a dot.
func walk(t *testing.T, tree fs.FS, visit func(name string)) {
	t.Helper()
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			visit(name)
			return nil
		}
		if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || isModule(tree, name)) {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isModule(tree fs.FS, dir string) bool {
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil
}

func read(t *testing.T, tree fs.FS, name string) string {
	t.Helper()
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A rule tells what in a tree departs from it.
type rule func(t *testing.T, tree fs.FS) (findings []string)

// A wrongTree is a tree that a rule must find one fault in, or none.
type wrongTree struct {
	name    string
	files   map[string]string
	finding string // a part of what must be found; empty: nothing may be
}

// enforce applies a rule to the repository, and first to trees that show that
// it tells right from wrong.
func enforce(t *testing.T, holds rule, trees []wrongTree) {
	t.Helper()
	for _, wrong := range trees {
		t.Run(wrong.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range wrong.files {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			findings := holds(t, tree)
			if wrong.finding == "" && len(findings) > 0 {
				t.Errorf("nothing is wrong, found: %q", findings)
			}
			if wrong.finding != "" && (len(findings) != 1 || !strings.Contains(findings[0], wrong.finding)) {
				t.Errorf("found %q, want one finding with %q", findings, wrong.finding)
			}
		})
	}
	t.Run("the repository", func(t *testing.T) {
		for _, finding := range holds(t, repository) {
			t.Error(finding)
		}
	})
}
