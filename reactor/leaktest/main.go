package leaktest

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long things that are on their way out may take to be gone.
const patience = 5 * time.Second

// Main runs the tests of a package, for its TestMain, and exits with their
// code, or with 1 and a report on standard error when they left something
// behind. It gives the run a temporary directory of its own and removes it.
func Main(m *testing.M) {
	os.Exit(run(m, patience))
}

// Check asserts that t leaves nothing behind: call it first, so that its
// cleanup runs after all others. It cannot tell tests apart that run at the
// same time, so neither t nor a test beside it may be parallel.
func Check(t testing.TB) {
	t.Helper()
	check(t, patience)
}

func check(t testing.TB, limit time.Duration) {
	before := Take()
	t.Cleanup(func() {
		if err := before.Wait(limit); err != nil {
			t.Error(err)
		}
	})
}

func run(m interface{ Run() int }, limit time.Duration) int {
	if isFuzzWorker() {
		return m.Run()
	}
	remove, err := ownTempDir()
	if err != nil {
		fmt.Fprintln(os.Stderr, "leaktest:", err)
		return 1
	}
	defer remove()

	before := Take()
	code := m.Run()
	if err := before.Wait(limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// isFuzzWorker tells whether "go test -fuzz" started this process: it is its
// coordinator's to end, at any moment, and has that process as its judge.
func isFuzzWorker() bool {
	return slices.ContainsFunc(os.Args[1:], func(arg string) bool {
		return strings.HasPrefix(strings.TrimLeft(arg, "-"), "test.fuzzworker")
	})
}

// ownTempDir makes a directory that only this run uses the temporary one.
func ownTempDir() (remove func(), err error) {
	dir, err := os.MkdirTemp("", "stint-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary directory for the run: %w", err)
	}
	names := []string{"TMPDIR"}
	if runtime.GOOS == "windows" {
		names = []string{"TMP", "TEMP"}
	}
	for _, name := range names {
		if err := os.Setenv(name, dir); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return func() { _ = os.RemoveAll(dir) }, nil
}
