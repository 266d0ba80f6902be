//go:build !linux

package process

import (
	"errors"
	"time"
)

// Without what tells two processes with one pid apart no Process is found, and nothing
// that follows is reached.

func startTime(uint64) time.Time { return time.Time{} }

func (Process) read() (Info, error)                  { return Info{}, errors.ErrUnsupported }
func (Process) parent() (Process, error)             { return Process{}, errors.ErrUnsupported }
func (Process) eachThread(func(tid int) error) error { return errors.ErrUnsupported }

func setNice(tid, nice int) error           { return errors.ErrUnsupported }
func affinity(pid int) ([]int, error)       { return nil, errors.ErrUnsupported }
func setAffinity(tid int, cpus []int) error { return errors.ErrUnsupported }
