package actors

import (
	"errors"
	"os"
)

func renice(_ *os.Process, nice int) error {
	if nice == 0 {
		return nil
	}
	return errors.ErrUnsupported
}
