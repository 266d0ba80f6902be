package frozentest

import "testing"

// Hold freezes the processes, so that SIGKILL does not end them, and returns when they
// stand still. They are released, and those that were killed reaped if they are this
// program's children, by release or with the test at the latest.
func Hold(t testing.TB, pids ...int) (release func()) {
	t.Helper()
	return hold(t, pids)
}
