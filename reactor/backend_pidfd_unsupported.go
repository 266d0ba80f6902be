//go:build !linux

package reactor

import "errors"

func newPidfd(Faults) (backend, error) { return nil, errors.ErrUnsupported }
