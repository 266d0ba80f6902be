//go:build unix && !linux

package worker

import (
	"errors"
	"os"
)

// createShared makes size bytes of memory that can be handed to a child as a
// file: a temporary file without a name, since memfd is Linux's alone.
func createShared(size int) (*os.File, error) {
	file, err := os.CreateTemp("", "stint-claims-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, err
	}
	if err := file.Truncate(int64(size)); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// canShare: without seals a worker could take memory away under its host.
const canShare = false

func populate([]byte) error { return errors.ErrUnsupported }
