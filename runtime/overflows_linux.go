package runtime

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/cgroup"
)

// overflows tells of groups of version 1 whose memory is used up: there the kernel
// kills one process, which need not be the worker. One eventfd serves all groups; one
// goroutine waits for it, from the first group on until close.
type overflows struct {
	file  *os.File // the eventfd; nil: there was no group yet. The spawner's, and close's after it
	ended chan struct{}

	told  atomic.Pointer[time.Time] // when it was last written to; nil: never
	pause time.Duration
}

// The kernel tells it before it kills, so what it has killed is looked at for a while.
const (
	heedFor    = time.Second
	firstPeek  = time.Millisecond
	slowestOne = 64 * time.Millisecond
)

// listen has the host's goroutine woken when the group's memory is used up.
func (o *overflows) listen(g *cgroup.Group, wake func()) error {
	if o.file == nil {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return os.NewSyscallError("eventfd", err)
		}
		o.file, o.ended = os.NewFile(uintptr(fd), "eventfd"), make(chan struct{})
		go o.hear(wake)
	}
	conn, err := o.file.SyscallConn()
	if err != nil {
		return err
	}
	var tellErr error
	err = conn.Control(func(fd uintptr) { tellErr = g.TellOverflow(int(fd)) })
	if err == nil {
		err = tellErr
	}
	return err
}

func (o *overflows) hear(wake func()) {
	defer close(o.ended)
	var count [8]byte
	for {
		if _, err := o.file.Read(count[:]); err != nil {
			return // closed
		}
		now := time.Now() // with the monotonic clock's reading: the wall clock may jump
		o.told.Store(&now)
		wake()
	}
}

func (o *overflows) close() {
	if o.file != nil {
		_ = o.file.Close()
		<-o.ended
	}
}

// heed ends the enclosures of which the kernel has killed something for want of
// memory, and returns when to look again.
func (e *enclosures) heed() time.Duration {
	o := &e.bounds.overflows
	told := o.told.Load()
	if told == nil || time.Since(*told) > heedFor {
		o.pause = 0
		return 0
	}
	for _, n := range e.live() {
		if n.memory == nil {
			continue
		}
		if killed, overflow, err := n.memory.Killed(); err == nil && killed > 0 && overflow {
			n.overflow(n.peak(), killed)
		}
	}
	o.pause = min(max(2*o.pause, firstPeek), slowestOne)
	return o.pause
}
