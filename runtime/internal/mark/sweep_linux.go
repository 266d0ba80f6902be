package mark

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"
)

const (
	firstPause = 200 * time.Microsecond
	lastPause  = 100 * time.Millisecond
)

// Sweep kills the processes whose mark is meant until nothing is left or the
// deadline is over; then it returns who is left.
func (t *Table) Sweep(deadline time.Time, meant func(Mark) bool) (left []int, err error) {
	var calm Calm
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var failed error // what keeps a process from being killed: it is taken to live
		calm.Begin()
		err := t.Each(func(pid int, m Mark) {
			if !meant(m) {
				return
			}
			s, err := t.Kill(pid, m)
			if err != nil {
				failed = err
			}
			calm.Note(pid, s)
		})
		calm.End(err == nil)
		if calm.Over() {
			return nil, nil
		}
		if time.Now().After(deadline) {
			return calm.Left(), cmp.Or(err, failed)
		}
		if err != nil || len(calm.left) > 0 {
			time.Sleep(pause)
		}
	}
}

// Reap reaps a process if it is a zombie and a child of this program. It is for
// descendants that nobody started from here, and that this program has adopted.
func Reap(pid int) {
	var info unix.Siginfo
	err := error(unix.EINTR)
	for err == unix.EINTR {
		err = unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG, nil)
	}
}
