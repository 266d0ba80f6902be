//go:build !linux

package actors

import (
	"errors"
	"syscall"
)

func (p Privileges) become(*syscall.SysProcAttr) error {
	if p.User == nil {
		return nil
	}
	return &PrivilegeError{"User", errors.ErrUnsupported}
}

func (p Privileges) bind(string) error { return &PrivilegeError{"NoNew", errors.ErrUnsupported} }

// onMainThread does not matter where no thread gives anything up.
func onMainThread() bool { return false }
