//go:build !linux

package pool

import (
	"errors"
	"runtime"
	"time"
)

func processors() time.Duration { return time.Duration(runtime.NumCPU()) }

func processorTimeTold() error { return errors.ErrUnsupported }

func processorTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
