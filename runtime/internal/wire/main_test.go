package wire_test

import (
	"runtime"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// reporter is what the checks need of a testing.TB or a *rapid.T.
type reporter interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// within fails the test when f allocates more than limit bytes, those that it
// drops again included.
func within(t reporter, limit int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(limit) {
		t.Errorf("it allocated %d bytes, more than %d", n, limit)
	}
}
