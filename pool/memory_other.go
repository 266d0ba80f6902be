//go:build !linux

package pool

import "errors"

const canWeigh = false

func residentMemory(int) (int64, error) { return 0, errors.ErrUnsupported }
