package docs

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stint-go/stint"

// levels are the module's folders from the lowest up; docs stands above all,
// as only tests do. A package imports what is in lower levels.
var levels = []string{"reactor", "actors", "runtime", "pool", "examples", "docs"}

// leaf imports nothing of ours, and anyone may import it.
const leaf = "futures"

// testOnly is for test files alone, and imports nothing of ours.
var testOnly = []string{"reactor/frozentest", "reactor/leaktest", "reactor/refusaltest"}

// homes says which folder alone may import a library.
var homes = map[string]string{
	"github.com/asynkron/protoactor-go": "actors",
	"github.com/nats-io":                "pool/cluster",
}

func TestImportDirections(t *testing.T) {
	enforce(t, importsPointDown, []wrongTree{
		{"down", imports("pool", "futures", "reactor", "runtime/worker", "actors"), ""},
		{"up", imports("reactor", "actors"), "reactor/x.go imports actors"},
		{"up, in a test", map[string]string{"actors/x_test.go": source("actors_test", "pool")}, "actors/x_test.go imports pool"},
		{"for another system", map[string]string{"actors/x_plan9.go": source("actors", "pool")}, "actors/x_plan9.go imports pool"},
		{"from the leaf", imports("futures", "reactor"), "futures/x.go imports reactor"},
		{"a sibling", imports("runtime/worker", "runtime/shm"), "runtime/worker/x.go imports runtime/shm"},
		{"a sibling's internals are shared", imports("runtime/worker", "runtime/internal/wire", "runtime"), ""},
		{"own parts", imports("runtime/worker", "runtime/worker/limits"), ""},
		{"the folder's own sub-package", imports("runtime", "runtime/worker"), "runtime/x.go imports runtime/worker"},
		{"the folder's internals", imports("pool", "pool/internal/queue"), ""},
		{"from a sub-package up", imports("pool/cluster", "pool", "runtime/worker"), ""},
		{"a sub-package, in a test", map[string]string{"pool/x_test.go": source("pool_test", "pool", "pool/pooltest")}, ""},
		{"an example by another", imports("examples/a", "examples/b"), "examples/a/x.go imports examples/b"},
		{"by a folder without a place", imports("util", "reactor"), "util/x.go imports reactor"},
		{"of a folder without a place", imports("pool", "util"), "pool/x.go imports util"},
		{"leaktest by a test", map[string]string{"futures/x_test.go": source("futures", "reactor/leaktest")}, ""},
		{"leaktest by code", imports("actors", "reactor/leaktest"), "actors/x.go imports reactor/leaktest"},
		{"from leaktest", imports("reactor/leaktest", "reactor"), "reactor/leaktest/x.go imports reactor"},
	})
}

func importsPointDown(t *testing.T, tree fs.FS) (findings []string) {
	for _, file := range goFiles(t, tree) {
		for _, imported := range file.imports {
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && !mayImport(file, to) {
				findings = append(findings, fmt.Sprintf("%s imports %s, which its place in the layout forbids", file.path, to))
			}
		}
	}
	return findings
}

func mayImport(file goFile, to string) bool {
	from := file.dir
	switch {
	case slices.Contains(testOnly, to):
		return file.isTest()
	case from == leaf || slices.Contains(testOnly, from):
		return file.isTest() && to == from
	case to == leaf:
		return true
	case top(from) == top(to):
		return mayImportBeside(file, to)
	}
	level := slices.Index(levels, top(to))
	return level >= 0 && level < slices.Index(levels, top(from))
}

// mayImportBeside tells it for two packages of one folder: a package may import
// what stands above it in the path, what is internal to the folder, and its own
// parts. The folder's first package does without its sub-packages but in tests.
func mayImportBeside(file goFile, to string) bool {
	from := file.dir
	isFirst := from == top(from)
	return within(from, to) ||
		slices.Contains(strings.Split(to, "/"), "internal") ||
		within(to, from) && (!isFirst || file.isTest())
}

func TestEveryPackageHasAPlace(t *testing.T) {
	enforce(t, packagesHaveAPlace, []wrongTree{
		{"in a level", imports("runtime/worker"), ""},
		{"the leaf", imports("futures"), ""},
		{"at the root", imports("."), "x.go is in none of the module's folders"},
		{"in a folder of its own", imports("util"), "util/x.go is in none of the module's folders"},
		{"in a module of its own", map[string]string{"util/go.mod": "", "util/x.go": "package util"}, ""},
	})
}

func packagesHaveAPlace(t *testing.T, tree fs.FS) (findings []string) {
	for _, file := range goFiles(t, tree) {
		if folder := top(file.dir); folder != leaf && !slices.Contains(levels, folder) {
			findings = append(findings, file.path+" is in none of the module's folders")
		}
	}
	return findings
}

func TestLibrariesStayAtHome(t *testing.T) {
	const actor, jetstream = "github.com/asynkron/protoactor-go/actor", "github.com/nats-io/nats.go/jetstream"
	enforce(t, librariesStayAtHome, []wrongTree{
		{"at home", map[string]string{
			"actors/x.go":          external("actors", actor),
			"actors/x_test.go":     external("actors", actor),
			"pool/cluster/nats.go": external("cluster", jetstream),
		}, ""},
		{"protoactor in the pool", map[string]string{"pool/x.go": external("pool", actor)}, "pool/x.go imports " + actor},
		{"protoactor in a test", map[string]string{"pool/x_test.go": external("pool", actor)}, "pool/x_test.go imports " + actor},
		{"NATS in the pool", map[string]string{"pool/x.go": external("pool", jetstream)}, "pool/x.go imports " + jetstream},
		{"a folder of a like name", map[string]string{"actors2/x.go": external("x", actor)}, "actors2/x.go imports " + actor},
	})
}

func librariesStayAtHome(t *testing.T, tree fs.FS) (findings []string) {
	for _, file := range goFiles(t, tree) {
		for _, imported := range file.imports {
			for library, home := range homes {
				if within(imported, library) && !within(file.dir, home) {
					findings = append(findings, fmt.Sprintf("%s imports %s, which only %s may", file.path, imported, home))
				}
			}
		}
	}
	return findings
}

func TestEveryPackageExplainsItself(t *testing.T) {
	const comment = "// Package a does it.\n"
	enforce(t, packagesExplainThemselves, []wrongTree{
		{"by doc.go", map[string]string{"a/doc.go": comment + "package a", "a/a.go": "package a"}, ""},
		{"tests alone need none", map[string]string{"a/a_test.go": "package a"}, ""},
		{"without doc.go", map[string]string{"a/a.go": comment + "package a"}, "a has no doc.go"},
		{"with an empty doc.go", map[string]string{"a/doc.go": "package a"}, "a/doc.go has no comment"},
		{"with a licence for a comment", map[string]string{"a/doc.go": "// Copyright\npackage a"}, "a/doc.go has no comment"},
		{"an example with a header", map[string]string{"examples/e/main.go": "// The e example.\npackage main"}, ""},
		{"an example without", map[string]string{"examples/e/main.go": "package main"}, "examples/e has no header comment"},
	})
}

func packagesExplainThemselves(t *testing.T, tree fs.FS) (findings []string) {
	packages := map[string][]goFile{}
	for _, file := range goFiles(t, tree) {
		if !file.isTest() {
			packages[file.dir] = append(packages[file.dir], file)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		if fault := unexplained(dir, packages[dir]); fault != "" {
			findings = append(findings, fault)
		}
	}
	return findings
}

func unexplained(dir string, files []goFile) string {
	if files[0].pkg == "main" && within(dir, "examples") {
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.comment != "" }) {
			return dir + " has no header comment on its package clause"
		}
		return ""
	}
	i := slices.IndexFunc(files, func(f goFile) bool { return path.Base(f.path) == "doc.go" })
	if i < 0 {
		return dir + " has no doc.go"
	}
	if want := "Package " + files[i].pkg + " "; !strings.HasPrefix(files[i].comment, want) {
		return fmt.Sprintf("%s has no comment that begins with %q", files[i].path, want)
	}
	return ""
}

// top returns the folder of the module that dir is in.
func top(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	return first
}

// within tells whether dir is root or below it.
func within(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+"/")
}

// imports is a tree of one file, in dir, that imports packages of ours.
func imports(dir string, ours ...string) map[string]string {
	return map[string]string{path.Join(dir, "x.go"): source("x", ours...)}
}

func source(pkg string, ours ...string) string {
	for i, dir := range ours {
		ours[i] = module + "/" + dir
	}
	return external(pkg, ours...)
}

func external(pkg string, imported ...string) string {
	text := "package " + pkg + "\n"
	for _, name := range imported {
		text += fmt.Sprintf("import _ %q\n", name)
	}
	return text
}
