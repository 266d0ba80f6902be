package pool

import (
	"fmt"

	"github.com/stint-go/stint/runtime/worker"
)

// encode encodes one value. A type's own encoder may panic: that is an error.
func encode(v any) (data []byte, err error) {
	defer recoverInto(&err)
	return worker.Marshal(v)
}

// decode decodes one value. A type's own decoder may panic: that is an error.
func decode[T any](data []byte, to *T) (err error) {
	defer recoverInto(&err)
	return worker.Unmarshal(data, to)
}

// recoverInto makes a panic of a type's own encoder or decoder an error.
func recoverInto(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("its codec panicked: %v", value)
	}
}
