//go:build linux && (amd64 || arm64)

package fork

import (
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Program is what a new process does until it is another program. The zero value is
// an empty one.
type Program struct {
	calls []call
	tells []func(syscall.Errno) error // what the failure of each call means
	held  []any                       // what the calls point to
}

// call is one system call. The assembly knows its layout.
type call struct {
	number uintptr
	args   [5]uintptr
	want   uintptr // what it is to return: a result, or one of the following
}

const (
	success   = ^uintptr(0)     // no error
	anyResult = ^uintptr(0) - 1 // an error does no harm
)

// Do adds a system call. When it fails the program ends there, and what tell makes of
// the error is the child's.
func (p *Program) Do(tell func(syscall.Errno) error, number uintptr, args ...uintptr) {
	p.add(tell, success, number, args)
}

// Try adds a system call that may fail.
func (p *Program) Try(number uintptr, args ...uintptr) { p.add(nil, anyResult, number, args) }

// Want adds a system call that fails also if it returns anything but the result.
func (p *Program) Want(result uintptr, tell func(syscall.Errno) error, number uintptr, args ...uintptr) {
	p.add(tell, result, number, args)
}

func (p *Program) add(tell func(syscall.Errno) error, want, number uintptr, args []uintptr) {
	c := call{number: number, want: want}
	if len(args) > len(c.args) {
		panic(fmt.Sprintf("fork: a call with %d arguments", len(args)))
	}
	copy(c.args[:], args)
	p.calls, p.tells = append(p.calls, c), append(p.tells, tell)
}

// then returns both programs as one.
func (p Program) then(q Program) Program {
	return Program{
		calls: slices.Concat(p.calls, q.calls),
		tells: slices.Concat(p.tells, q.tells),
		held:  slices.Concat(p.held, q.held),
	}
}

// Pointer returns an argument that points to *v, and keeps *v as long as the child
// may read it.
func Pointer[T any](p *Program, v *T) uintptr {
	p.held = append(p.held, v)
	return uintptr(unsafe.Pointer(v))
}

// Execute adds the last call, which starts the program at the path. The error is
// EINVAL for a NUL in any of the strings.
func (p *Program) Execute(tell func(syscall.Errno) error, path string, args, env []string) error {
	file, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	p.Do(tell, unix.SYS_EXECVE, Pointer(p, file), Pointer(p, &argv[0]), Pointer(p, &envp[0]))
	return nil
}
