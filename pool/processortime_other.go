//go:build !linux

package pool

import (
	"errors"
	"time"
)

func processorTimeTold() error { return errors.ErrUnsupported }

func processorTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
