//go:build unix && !linux && !darwin && !(freebsd && (amd64 || arm64 || riscv64))

package reactor

import "errors"

// waitable needs a wait that leaves the child unreaped.
func waitable(pid int, block bool) (bool, error) { return false, errors.ErrUnsupported }
