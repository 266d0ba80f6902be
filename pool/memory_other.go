//go:build !linux

package pool

import "errors"

func memoryTold() error { return errors.ErrUnsupported }

func residentMemory(int) (int64, error) { return 0, errors.ErrUnsupported }
