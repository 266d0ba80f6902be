package subprocess

import (
	"os"

	"golang.org/x/sys/unix"
)

// A pipe holds 64 KiB: a writer that is faster than its reader waits for it, and is waked, for
// each. What carries much gets a wider one; of what is small nothing of the kernel's
// memory, of which each user has a limited share, is taken. Where that share is used up
// the pipe stays as it is.
const (
	much = 4 << 20
	wide = 256 << 10
)

// widener widens a pipe once much has passed.
type widener struct{ passed int64 }

func (w *widener) pass(pipe *os.File, n int) {
	before := w.passed
	w.passed += int64(n)
	if before >= much || w.passed < much {
		return
	}
	if raw, err := pipe.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, wide) })
	}
}
