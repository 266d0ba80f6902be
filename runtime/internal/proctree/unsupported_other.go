//go:build !linux

package proctree

import (
	"errors"
	"syscall"
)

// Stat is what Linux tells of a process.
type Stat struct{ Start uint64 }

// Ended is of no meaning here.
func (Stat) Ended() bool { return false }

// Relative is a process in a family.
type Relative struct {
	Process
	Stat Stat
}

// Member is a process of a tree that was stopped.
type Member struct {
	Process
	Group int
}

// Signal is not supported.
func (*Member) Signal(syscall.Signal) error { return errors.ErrUnsupported }

// Tree is processes that were stopped.
type Tree struct{ Members []Member }

// ReadStat is not supported.
func ReadStat(int) (Stat, error) { return Stat{}, errors.ErrUnsupported }

// Children is not supported.
func Children(Process) ([]Relative, error) { return nil, errors.ErrUnsupported }

// Below is not supported.
func Below(Process) ([]Relative, error) { return nil, errors.ErrUnsupported }

// Freeze is not supported.
func Freeze(...Process) (*Tree, error) { return &Tree{}, errors.ErrUnsupported }

// Kill does nothing.
func (*Tree) Kill(func(Process, error)) {}

// Resume does nothing.
func (*Tree) Resume() {}

// Close does nothing.
func (*Tree) Close() {}
