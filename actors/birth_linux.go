//go:build linux && (amd64 || arm64)

package actors

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors/internal/fork"
)

// birth is what a process does before it executes its program: so all of it holds
// before the program's first instruction.
type birth struct {
	*Command
	place   Place
	program fork.Program
	rules   int // the descriptor of Privileges.Paths; -1: there are none
}

// birth prepares it. done lets go of what is needed for the start alone.
func (c *Command) birth(place Place) (p *fork.Program, done func(), err error) {
	b := &birth{Command: c, place: place, rules: -1}
	done = func() {
		if b.rules >= 0 {
			_ = unix.Close(b.rules)
		}
	}
	for _, step := range []func() error{
		b.lead, b.mark, b.join, b.openRules, b.arrange, b.pin, b.renice, b.limit, b.become, b.enter, b.bind, b.forget, b.follow, b.execute,
	} {
		if err := step(); err != nil {
			return nil, done, lasting(err)
		}
	}
	return &b.program, done, nil
}

// unsupported tells what cannot be done for a process; here there is nothing.
func (c *Command) unsupported() error { return nil }

// call is an error of the system call with the name.
func call(name string) func(syscall.Errno) error {
	return func(errno syscall.Errno) error { return os.NewSyscallError(name, errno) }
}

// lead has it lead a group of its own, so that descendants can be killed with it.
func (b *birth) lead() error {
	if b.Session {
		b.program.Do(call("setsid"), unix.SYS_SETSID)
	} else {
		b.program.Do(call("setpgid"), unix.SYS_SETPGID, 0, 0)
	}
	return nil
}

// mark has it bear its place's mark.
func (b *birth) mark() error {
	if b.place.Mark == 0 {
		return nil
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_LOCKS, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	limit.Cur = b.place.Mark
	b.program.Do(call("prlimit"), unix.SYS_PRLIMIT64, 0, unix.RLIMIT_LOCKS, fork.Pointer(&b.program, &limit), 0)
	return nil
}

// join has it move into its enclosure's control groups of version 1; into that of
// version 2 it is born.
func (b *birth) join() error {
	self := []byte{'0'}
	for _, group := range b.place.Entrances {
		tell := func(errno syscall.Errno) error {
			return &LimitError{Err: fmt.Errorf("enter a control group: %w", os.NewSyscallError("write", errno))}
		}
		b.program.Do(tell, unix.SYS_WRITE, uintptr(group), fork.Pointer(&b.program, &self[0]), uintptr(len(self)))
	}
	return nil
}

// openRules opens the rules of Privileges.Paths, out of the files' way.
func (b *birth) openRules() (err error) {
	if b.Privileges.Paths != nil {
		b.rules, err = b.Privileges.Paths.open(b.path(), len(b.Files))
	}
	return err
}

// arrange gives the files their numbers. Those that another one would overwrite get
// out of its way first.
func (b *birth) arrange() error {
	fds := make([]uintptr, len(b.Files))
	free := uintptr(max(len(fds), b.rules+1))
	for i, f := range b.Files {
		if f != nil {
			fds[i] = f.Fd()
			free = max(free, fds[i]+1)
		}
	}
	for i, f := range b.Files {
		if f != nil && fds[i] < uintptr(i) {
			b.program.Do(call("dup3"), unix.SYS_DUP3, fds[i], free, unix.O_CLOEXEC)
			fds[i], free = free, free+1
		}
	}
	for i, f := range b.Files {
		switch to := uintptr(i); {
		case f == nil:
			b.program.Try(unix.SYS_CLOSE, to)
		case fds[i] == to:
			b.program.Do(call("fcntl"), unix.SYS_FCNTL, to, unix.F_SETFD, 0)
		default:
			b.program.Do(call("dup3"), unix.SYS_DUP3, fds[i], to, 0)
		}
	}
	return nil
}

// pin has it run on some CPUs only.
func (b *birth) pin() error {
	if len(b.CPUs) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range b.CPUs {
		set.Set(cpu)
	}
	b.program.Do(call("sched_setaffinity"), unix.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), fork.Pointer(&b.program, &set))
	return nil
}

// renice makes it less urgent than this program.
func (b *birth) renice() error {
	if b.Nice == 0 {
		return nil
	}
	nice, err := lessUrgent(b.Nice)
	if err != nil {
		return err
	}
	b.program.Do(call("setpriority"), unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(nice))
	return nil
}

// enter goes to the directory, as the user: it may be closed to this program or to him.
func (b *birth) enter() error {
	if b.Dir == "" {
		return nil
	}
	dir, err := unix.BytePtrFromString(b.Dir)
	if err != nil {
		return &fs.PathError{Op: "chdir", Path: b.Dir, Err: err}
	}
	tell := func(errno syscall.Errno) error { return &fs.PathError{Op: "chdir", Path: b.Dir, Err: errno} }
	b.program.Do(tell, unix.SYS_CHDIR, fork.Pointer(&b.program, dir))
	return nil
}

// forget closes all descriptors that are not listed, whoever has opened them, with
// O_CLOEXEC or without, and however short ago.
func (b *birth) forget() error {
	first := uintptr(len(b.Files))
	if closesRanges() {
		b.program.Do(call("close_range"), unix.SYS_CLOSE_RANGE, first, 1<<32-1, 0)
		return nil
	}
	for _, fd := range openDescriptors() {
		if uintptr(fd) >= first {
			b.program.Try(unix.SYS_CLOSE, uintptr(fd))
		}
	}
	return nil
}

// closesRanges reports whether there is close_range(2): since Linux 5.9, unless a
// seccomp filter refuses it.
var closesRanges = sync.OnceValue(func() bool {
	const none = 1<<31 - 1
	return unix.CloseRange(none, none, 0) == nil
})

// follow has it killed when the thread that starts it ends, which is when this program
// does. If that has happened already, it ends itself.
func (b *birth) follow() error {
	b.program.Do(call("prctl"), unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL))
	b.program.Want(uintptr(os.Getpid()), call("getppid"), unix.SYS_GETPPID)
	return nil
}

func (b *birth) execute() error {
	env := b.Env
	if env == nil {
		env = os.Environ()
	}
	tell := func(errno syscall.Errno) error { return b.failed(errno) }
	if err := b.program.Execute(tell, b.Path, b.arguments(), env); err != nil {
		return b.failed(err)
	}
	return nil
}
