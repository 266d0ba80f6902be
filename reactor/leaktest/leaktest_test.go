package leaktest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func init() {
	leak("clean", func() int { return 0 })
	leak("failed", func() int { return 3 })
	leak("goroutine", func() int { go blockedForEver(); return 0 })
	leak("late goroutine", func() int { go time.Sleep(100 * time.Millisecond); return 0 })
	leak("temporary file", func() int { return create(os.TempDir(), "stint-left") })
	leak("foreign temporary file", func() int { return create(os.TempDir(), "other-left") })
}

func blockedForEver() { select {} }

func create(dir, name string) int {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil || f.Close() != nil {
		return 2
	}
	return 0
}

func TestRun(t *testing.T) {
	verdicts(t, []verdict{
		{helper: "clean"},
		{helper: "failed", code: 3},
		{helper: "goroutine", code: 1, report: []string{"goroutine", "leaktest.blockedForEver", "leaktest_test.go"}},
		{helper: "late goroutine"},
		{helper: "temporary file", code: 1, report: []string{"file ", "stint-left"}},
		{helper: "foreign temporary file"},
	})
}

func TestRunRemovesItsTempDir(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	verdicts(t, []verdict{{helper: "foreign temporary file"}})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left in the temporary directory: %v (%v)", left, err)
	}
}

// recorder stands in for a test, to see how Check fails one.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []any
}

func (r *recorder) Helper()                {}
func (r *recorder) Cleanup(cleanup func()) { r.cleanups = append(r.cleanups, cleanup) }
func (r *recorder) Error(args ...any)      { r.errors = append(r.errors, args...) }

func (r *recorder) finish() {
	for _, cleanup := range r.cleanups {
		cleanup()
	}
}

func TestCheck(t *testing.T) {
	var clean recorder
	Check(&clean)
	clean.finish()
	if len(clean.errors) > 0 {
		t.Errorf("a clean test was failed: %v", clean.errors)
	}

	var leaky recorder
	check(&leaky, 300*time.Millisecond)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { defer close(stopped); <-stop }()
	leaky.finish()
	close(stop)
	<-stopped
	if len(leaky.errors) != 1 || !strings.Contains(leaky.errors[0].(error).Error(), "TestCheck") {
		t.Errorf("a test that left a goroutine was told: %v", leaky.errors)
	}
}

func TestWaitLooksOnce(t *testing.T) {
	if err := Take().Wait(0); err != nil {
		t.Errorf("nothing is left, but: %v", err)
	}
}

func TestIsFuzzWorker(t *testing.T) {
	old := os.Args
	defer func() { os.Args = old }()
	for args, want := range map[string]bool{"-test.fuzzworker": true, "-test.fuzz=F": false, "-test.v": false} {
		if os.Args = []string{"x.test", args}; isFuzzWorker() != want {
			t.Errorf("%s %s: not %v", runtime.GOOS, args, want)
		}
	}
}
