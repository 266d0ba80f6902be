package pool

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/stint-go/stint/runtime/worker"
)

// encode encodes one value. A type's own encoder may panic: that is an error.
func encode(v any) (data []byte, err error) {
	defer recoverInto(&err)
	if err := checkDepth(reflect.ValueOf(v), maxDepth); err != nil {
		return nil, err
	}
	return worker.Marshal(v)
}

// decode decodes one value. A type's own decoder may panic: that is an error.
func decode[T any](data []byte, to *T) (err error) {
	defer recoverInto(&err)
	return worker.Unmarshal(data, to)
}

// decodeApart is decode where the goroutine must go on: a type's own decoder may
// call runtime.Goexit, as testing.T.FailNow does. That is an error as well.
func decodeApart[T any](data []byte, to *T) error {
	if !shapeOf(reflect.TypeFor[T]()).decodes {
		return decode(data, to)
	}
	ended := make(chan error, 1)
	go func() {
		err := errDecoderLeft
		defer func() { ended <- err }()
		err = decode(data, to)
	}()
	return <-ended
}

var errDecoderLeft = errors.New("its codec called runtime.Goexit")

// recoverInto makes a panic of a type's own encoder or decoder an error.
func recoverInto(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("its codec panicked: %v", value)
	}
}
