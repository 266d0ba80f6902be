package reactor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pidfd is the back end of Linux: pidfds, edge-triggered, in an epoll set that
// is itself in the set of Go's netpoller. So the loop is a parked goroutine and
// no thread, and a process is added without waking it. The deadline is a timerfd
// in the set: Go's timers, of which a read deadline is one, are late by up to a
// millisecond while nothing else runs, as its netpoller waits in whole ones. A pidfd becomes readable twice: at the exit, and when
// the process is reaped.
type pidfd struct {
	set   *os.File
	conn  syscall.RawConn
	timer *os.File
	alarm syscall.RawConn // of the timer
	off   atomic.Bool     // the system refused; nothing is added any more

	faults Faults
	lost   atomic.Bool // the set cannot be waited for any more
	parker *parker     // is waited for then

	// The loop's, to collect without allocating.
	events  [128]unix.EpollEvent
	n       int
	err     error
	collect func(epfd uintptr) bool
}

func newPidfd(f Faults) (backend, error) {
	if err := probePidfd(f); err != nil {
		return nil, err
	}
	if err := fault(f, "epoll_create1"); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// Non-blocking, so that os.NewFile gives it to the netpoller.
	if err := unix.SetNonblock(epfd, true); err != nil {
		_ = unix.Close(epfd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	b := &pidfd{set: os.NewFile(uintptr(epfd), "reactor epoll set"), faults: f, parker: newParker()}
	b.collect = b.collectNow
	b.conn, err = b.set.SyscallConn()
	if err = cmp.Or(err, b.set.SetReadDeadline(time.Time{})); err != nil {
		_ = b.set.Close()
		return nil, fmt.Errorf("the epoll set cannot be given to Go's netpoller: %w", err)
	}
	if err := b.openTimer(); err != nil {
		_ = b.set.Close()
		return nil, err
	}
	return b, nil
}

// deadlineToken is what the timer tells as: no watch has it.
const deadlineToken = 0

// openTimer puts the timer into the set. Edge-triggered, it need never be read.
func (b *pidfd) openTimer() error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC) // blocking: not for the netpoller
	if err != nil {
		return os.NewSyscallError("timerfd_create", err)
	}
	b.timer = os.NewFile(uintptr(fd), "reactor timer")
	if b.alarm, err = b.timer.SyscallConn(); err == nil {
		err = b.control(unix.EPOLL_CTL_ADD, fd, deadlineToken)
	}
	if err != nil {
		_ = b.timer.Close()
	}
	return err
}

// probePidfd fails where pidfds do not do what the reactor needs of them.
func probePidfd(f Faults) error {
	if err := fault(f, "pidfd_open"); err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err) // before Linux 5.3, or refused
	}
	defer unix.Close(self)
	if readable(self) { // RHEL 8's backport to Linux 4.18
		return errors.New("the pidfd of a live process is readable")
	}
	_, err = waitid(unix.P_PIDFD, self, unix.WEXITED|unix.WNOHANG, nil)
	if err != unix.ECHILD { // before Linux 5.4
		return fmt.Errorf("waitid by pidfd should fail with ECHILD for the program itself: %w", cmp.Or(err, errors.New("it did not fail")))
	}
	return os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(self, 0, nil, 0))
}

func (b *pidfd) add(token uint64, p *process) error {
	if b.off.Load() {
		return errBackendOff
	}
	if err := fault(b.faults, "pidfd_open"); err != nil {
		return b.refusal("pidfd_open", err)
	}
	fd, err := p.openPidfd()
	if err != nil {
		return b.refusal("pidfd_open", err)
	}
	if err = fault(b.faults, "epoll_ctl"); err == nil {
		err = b.control(unix.EPOLL_CTL_ADD, fd, token)
	}
	if err != nil {
		_ = unix.Close(fd)
		return b.refusal("epoll_ctl", err)
	}
	p.fd = fd
	return nil
}

// remove takes the pidfd out of the set before it closes it: a child that is
// being started may hold the file open, and it would go on telling.
func (b *pidfd) remove(p *process) {
	_ = b.control(unix.EPOLL_CTL_DEL, p.fd, 0)
	_ = unix.Close(p.fd)
	p.fd = -1
}

// control holds the set open for the length of the call: it may be closing.
func (b *pidfd) control(op, fd int, token uint64) (err error) {
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLET,
		Fd:     int32(uint32(token)), // the two halves of the kernel's 64-bit data
		Pad:    int32(uint32(token >> 32)),
	}
	closed := b.conn.Control(func(epfd uintptr) { err = unix.EpollCtl(int(epfd), op, fd, &event) })
	return cmp.Or(closed, err)
}

// refusal sorts the reasons for which the kernel does not take a process.
func (b *pidfd) refusal(call string, err error) error {
	class := errUntellable // ESRCH, EINVAL and the like: to be asked by its pid
	switch err {
	case unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENODEV, unix.ENOSPC:
		class = errExhausted
	case unix.ENOSYS, unix.EPERM, unix.EACCES:
		b.off.Store(true)
		class = errBackendOff
	}
	return fmt.Errorf("%w: %w", class, os.NewSyscallError(call, err))
}

func (b *pidfd) wait(ready []uint64) ([]uint64, error) {
	if b.lost.Load() {
		return b.parker.wait(ready)
	}
	b.n, b.err = 0, nil
	err := b.conn.Read(b.collect)
	if b.err != nil {
		b.off.Store(true)
		b.lost.Store(true)
		return ready, fmt.Errorf("%w: %w", errBackendLost, os.NewSyscallError("epoll_wait", b.err))
	}
	for _, e := range b.events[:b.n] {
		ready = append(ready, uint64(uint32(e.Pad))<<32|uint64(uint32(e.Fd)))
	}
	return ready, err
}

// collectNow reports false when there is nothing, so that Read parks.
func (b *pidfd) collectNow(epfd uintptr) bool {
	b.err = unix.EINTR
	for b.err == unix.EINTR {
		if b.err = fault(b.faults, "epoll_wait"); b.err == nil {
			b.n, b.err = unix.EpollWait(int(epfd), b.events[:], 0)
		}
	}
	b.n = max(b.n, 0)
	return b.n > 0 || b.err != nil
}

func (b *pidfd) setDeadline(t time.Time) {
	if b.lost.Load() {
		b.parker.setDeadline(t)
		return
	}
	var spec unix.ItimerSpec // zero: none
	if !t.IsZero() {
		spec.Value = unix.NsecToTimespec(int64(max(time.Until(t), 1)))
	}
	_ = b.alarm.Control(func(fd uintptr) { _ = unix.TimerfdSettime(int(fd), 0, &spec, nil) })
}

func (b *pidfd) close() error { return cmp.Or(b.parker.close(), b.set.Close(), b.timer.Close()) }
