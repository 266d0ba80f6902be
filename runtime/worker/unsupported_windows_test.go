package worker_test

import (
	"errors"
	"testing"

	"github.com/stint-go/stint/runtime/worker"
)

func TestUnsupported(t *testing.T) {
	if worker.Inherited() {
		t.Error("no process is a worker here")
	}
	if _, _, err := worker.Open(worker.LinkConfig{Limit: 1}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}
