//go:build !linux

package pool

import "errors"

func usableCPUs() ([]int, error) { return nil, errors.ErrUnsupported }
