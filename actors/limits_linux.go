package actors

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resource is one limit as the system has it.
type resource struct {
	name   string
	number int
	limit  unix.Rlimit
}

// graceOfCPUTime is between SIGXCPU and SIGKILL, in seconds, the unit of RLIMIT_CPU.
const graceOfCPUTime = 1

func (l Limits) resources() []resource {
	var all []resource
	add := func(name string, number int, value, grace int64) {
		if value != 0 {
			soft := uint64(max(value, 0)) // NoCore is 0 there
			all = append(all, resource{name, number, unix.Rlimit{Cur: soft, Max: soft + uint64(grace)}})
		}
	}
	add("AddressSpace", unix.RLIMIT_AS, l.AddressSpace, 0)
	add("CPUTime", unix.RLIMIT_CPU, int64((l.CPUTime+time.Second-1)/time.Second), graceOfCPUTime)
	add("OpenFiles", unix.RLIMIT_NOFILE, l.OpenFiles, 0)
	add("FileSize", unix.RLIMIT_FSIZE, l.FileSize, 0)
	add("CoreSize", unix.RLIMIT_CORE, l.CoreSize, 0)
	add("Processes", unix.RLIMIT_NPROC, l.Processes, 0)
	return all
}

// held has the process stop at its exec, traced by the thread that starts it,
// until its limits are set.
func held(attributes *syscall.SysProcAttr) error {
	attributes.Ptrace = true
	return nil
}

// set sets the limits of a process that was started held, and lets it go. It
// runs on the thread that started it, which alone may. Should this program be
// killed meanwhile, then so is the process, by the parent-death signal.
//
// An error leaves the process stopped, for the caller to kill. One that has ended
// meanwhile is none: its watch tells it.
func (l Limits) set(p *os.Process) error {
	if gone, err := awaitHold(p.Pid); gone || err != nil {
		return err
	}
	for _, r := range l.resources() {
		if err := unix.Prlimit(p.Pid, r.number, &r.limit, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			return &LimitError{r.name, int64(r.limit.Cur), os.NewSyscallError("prlimit", err)}
		}
	}
	if err := unix.PtraceDetach(p.Pid); err != nil && !errors.Is(err, unix.ESRCH) { // killed
		return &LimitError{Err: os.NewSyscallError("ptrace", err)}
	}
	return nil
}

// awaitHold returns when the process has stopped at its exec, or has ended. It
// takes the end from nobody who reaps it: WNOWAIT.
func awaitHold(pid int) (gone bool, err error) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, &LimitError{Err: os.NewSyscallError("waitid", err)}
		case info.Code != cldTrapped:
			return true, nil
		}
		if signal := stopSignal(&info); signal != int(unix.SIGTRAP) { // somebody's, on its way first
			if err := unix.PtraceCont(pid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
				return false, &LimitError{Err: os.NewSyscallError("ptrace", err)}
			}
			continue
		}
		return false, nil
	}
}

// cldTrapped is the code of a child that a signal has stopped for who traces it, as
// in sigaction(2).
const cldTrapped = 4

// stopSignal returns si_status. In a siginfo_t it follows three ints, aligned as a
// pointer is, and the process and user ids.
func stopSignal(info *unix.Siginfo) int {
	const union = (3*unsafe.Sizeof(int32(0)) + unsafe.Alignof(uintptr(0)) - 1) &^ (unsafe.Alignof(uintptr(0)) - 1)
	return int((*struct{ pid, uid, status int32 })(unsafe.Add(unsafe.Pointer(info), union)).status)
}
