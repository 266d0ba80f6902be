package frozentest

import "testing"

// Hold freezes the processes, so that SIGKILL does not end them, and returns when they
// stand still. They are released, by release or with the test at the latest, and those
// that are this program's children and that nobody has reaped are reaped with the test.
func Hold(t testing.TB, pids ...int) (release func()) {
	t.Helper()
	release, held := TryHold(t, pids...)
	if !held {
		t.Fatalf("one of %v has ended before it was held", pids)
	}
	return release
}

// TryHold is Hold for processes that may end meanwhile: then none is held.
func TryHold(t testing.TB, pids ...int) (release func(), held bool) {
	t.Helper()
	return hold(t, pids)
}
