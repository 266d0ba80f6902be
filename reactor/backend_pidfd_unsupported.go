//go:build !linux

package reactor

import "errors"

func newPidfd() (backend, error) { return nil, errors.ErrUnsupported }
