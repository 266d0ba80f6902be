//go:build !linux

package actors

import (
	"errors"
	"os"
	"syscall"
)

func held(*syscall.SysProcAttr) error { return &LimitError{Err: errors.ErrUnsupported} }

func (l Limits) set(*os.Process) error { return &LimitError{Err: errors.ErrUnsupported} }
