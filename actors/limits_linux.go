//go:build linux && (amd64 || arm64)

package actors

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors/internal/fork"
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

// limit sets the limits but that of processes, which binds the user that it becomes.
func (b *birth) limit() error {
	for _, r := range b.Limits.resources() {
		if r.number != unix.RLIMIT_NPROC {
			b.set(r)
		}
	}
	if b.Limits.OpenFiles == 0 {
		if given, ok := givenOpenFiles(); ok {
			b.program.Try(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, fork.Pointer(&b.program, &given), 0)
		}
	}
	return nil
}

func (b *birth) set(r resource) {
	tell := func(errno syscall.Errno) error {
		return &LimitError{r.name, int64(r.limit.Cur), os.NewSyscallError("prlimit", errno)}
	}
	b.program.Do(tell, unix.SYS_PRLIMIT64, 0, uintptr(r.number), fork.Pointer(&b.program, &r.limit), 0)
}

// givenOpenFiles returns the limit of descriptors that this program was given. Go
// raises it for the program alone when that starts (golang/go#46279), and what the os
// package starts has it as it was given, unless the program has set it since.
func givenOpenFiles() (unix.Rlimit, bool) {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur != now.Max-1 {
		return now, false // not what Go makes of it
	}
	given, ok := askGivenOpenFiles()
	return given, ok && given.Max == now.Max
}

// askGivenOpenFiles asks a process that the os package starts, and that is killed
// before its first instruction: no other way leads to what that package knows.
var askGivenOpenFiles = sync.OnceValues(func() (given unix.Rlimit, ok bool) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return given, false
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{"stint-limits"}, &os.ProcAttr{
		Env:   []string{},
		Files: []*os.File{null, null, null},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL, Setpgid: true},
	})
	if err != nil {
		return given, false
	}
	err = unix.Prlimit(p.Pid, unix.RLIMIT_NOFILE, nil, &given)
	_ = p.Kill()
	_, _ = p.Wait()
	return given, err == nil
})
