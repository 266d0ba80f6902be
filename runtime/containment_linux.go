package runtime

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/cgroup"
	"github.com/stint-go/stint/runtime/internal/mark"
)

func (e *enclosures) containment() (Containment, error) {
	e.decide()
	return e.inForce, e.why
}

// choose finds out what can be had.
func (e *enclosures) choose() {
	e.inForce = ContainGroup
	if e.wanted == ContainGroup {
		return
	}
	unmarked := e.openMarks()
	if e.wanted != ContainMark {
		hosts, err := cgroup.Open()
		if err == nil {
			e.hosts, e.inForce = hosts, ContainCgroup
			return
		}
		e.why = &ContainmentError{ContainCgroup, err}
	}
	switch {
	case unmarked != nil:
		e.why = errors.Join(e.why, &ContainmentError{ContainMark, unmarked})
	case e.wanted != ContainCgroup:
		e.inForce = ContainMark
	}
}

func (e *enclosures) openMarks() error {
	own, err := mark.Own()
	if err != nil {
		return err
	}
	table, err := mark.Open()
	if err != nil {
		return err
	}
	e.own, e.table, e.adopts = own, table, adopts()
	return nil
}

// adopts reports whether orphans below this program become its children.
func adopts() bool {
	var subreaper int32
	_, _, errno := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&subreaper)), 0)
	return os.Getpid() == 1 || errno == 0 && subreaper != 0
}
