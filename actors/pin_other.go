//go:build !linux

package actors

import "errors"

func pin(cpus []int) (unpin func(), err error) {
	if len(cpus) > 0 {
		return nil, errors.ErrUnsupported
	}
	return func() {}, nil
}
