package pool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/stint-go/stint/runtime/worker"
)

// codec encodes and decodes values of one type: numbers and booleans as their
// bytes, little-endian; texts, and slices of bytes and of other numbers, as what
// they are in memory, in raw.go; and whatever else as CBOR. Both ends are the same
// program, so they agree.
type codec[T any] struct {
	size    int // of a number; 0: it is none
	boolean bool
	raw     raw
	apart   bool // decodes with code of its own, somewhere in it
}

func codecFor[T any]() codec[T] {
	t := reflect.TypeFor[T]()
	c := codec[T]{apart: shapeOf(t).decodes}
	switch kind := t.Kind(); {
	case encodesItself(t) || decodesItself(t):
	case kind == reflect.Bool:
		c.size, c.boolean = 1, true
	case isNumber(kind):
		c.size = int(t.Size())
	default:
		c.raw = rawOf(t)
	}
	return c
}

// append appends the encoding of a value to dst.
func (c codec[T]) append(dst []byte, v *T) ([]byte, error) {
	switch {
	case c.size > 0:
		return c.appendNumber(dst, v), nil
	case c.raw.size > 0:
		return append(dst, c.raw.bytes(unsafe.Pointer(v))...), nil
	}
	return c.appendCBOR(dst, v)
}

// appendResult is append for a value that nobody changes before it is written. A
// large one is not copied if dst is too small and empty: then another slice, which
// may be the value's own memory, is returned.
func (c codec[T]) appendResult(dst []byte, v *T) ([]byte, error) {
	if c.raw.size > 0 {
		if data := c.raw.bytes(unsafe.Pointer(v)); len(dst) == 0 && len(data) > cap(dst) {
			return data, nil
		}
	}
	return c.append(dst, v)
}

func (c codec[T]) appendCBOR(dst []byte, v *T) ([]byte, error) {
	data, err := encode(*v)
	if err != nil || len(dst) == 0 && len(data) > cap(dst) {
		return data, err
	}
	return append(dst, data...), nil
}

// appendNumber relies on a number of so many bytes being a T, which codecFor has
// seen to.
func (c codec[T]) appendNumber(dst []byte, v *T) []byte {
	switch p := unsafe.Pointer(v); c.size {
	case 8:
		return binary.LittleEndian.AppendUint64(dst, *(*uint64)(p))
	case 4:
		return binary.LittleEndian.AppendUint32(dst, *(*uint32)(p))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, *(*uint16)(p))
	default:
		return append(dst, *(*uint8)(p))
	}
}

// encodeInPlace encodes a number where it is, which costs no memory of its own;
// false: it is none. As with appendNumber, *v is of c.size bytes.
func (c codec[T]) encodeInPlace(v *T) ([]byte, bool) {
	if c.size == 0 {
		return nil, false
	}
	in := *v
	return c.appendNumber(unsafe.Slice((*byte)(unsafe.Pointer(v)), c.size)[:0], &in), true
}

// decode decodes a value that fills data. A type's own decoder may panic, which
// is an error, and end the goroutine.
func (c codec[T]) decode(data []byte) (v T, err error) {
	switch {
	case c.size > 0:
		return c.decodeNumber(data)
	case c.raw.size > 0:
		err = c.raw.decode(data, unsafe.Pointer(&v))
		return v, err
	}
	to := new(T)
	if err = decode(data, to); err != nil {
		return v, err
	}
	return *to, nil
}

// decodeNumber relies on what appendNumber does.
func (c codec[T]) decodeNumber(data []byte) (v T, err error) {
	if len(data) != c.size || c.boolean && data[0] > 1 {
		return v, fmt.Errorf("% x is no %v", data[:min(len(data), 16)], reflect.TypeFor[T]())
	}
	switch p := unsafe.Pointer(&v); c.size {
	case 8:
		*(*uint64)(p) = binary.LittleEndian.Uint64(data)
	case 4:
		*(*uint32)(p) = binary.LittleEndian.Uint32(data)
	case 2:
		*(*uint16)(p) = binary.LittleEndian.Uint16(data)
	default:
		*(*uint8)(p) = data[0]
	}
	return v, nil
}

// decodeOwn is decode for data that nobody else uses, now or later: a value may be
// made of the very bytes.
func (c codec[T]) decodeOwn(data []byte) (v T, err error) {
	if c.raw.size > 0 && c.raw.adopt(data, unsafe.Pointer(&v)) {
		return v, nil
	}
	return c.decode(data)
}

// decodeApart is decode where the goroutine must go on: a type's own decoder may
// call runtime.Goexit, as testing.T.FailNow does. That is an error as well.
func (c codec[T]) decodeApart(data []byte) (v T, err error) {
	if !c.apart {
		return c.decode(data)
	}
	return c.decodeAlone(data)
}

// decodeAlone decodes on a goroutine of its own. (It is a function of its own since
// what the goroutine shares with it is allocated.)
func (c codec[T]) decodeAlone(data []byte) (v T, err error) {
	ended := make(chan struct{})
	err = errDecoderLeft
	go func() {
		defer close(ended)
		v, err = c.decode(data)
	}()
	<-ended
	return v, err
}

var errDecoderLeft = errors.New("its codec called runtime.Goexit")

// encode encodes one value. A type's own encoder may panic: that is an error.
func encode(v any) (data []byte, err error) {
	defer recoverInto(&err)
	if err := checkDepth(reflect.ValueOf(v), maxDepth); err != nil {
		return nil, err
	}
	return worker.Marshal(v)
}

// encodeArgument encodes a job's argument. An error is a *CodecError.
func encodeArgument(j *Job, limit int) ([]byte, error) {
	if err := j.carry(); err != nil {
		return nil, err
	}
	argument, err := j.work.encode()
	if err == nil {
		err = (&Config{MaxPayload: limit}).checkPayload(len(argument))
	}
	if err != nil {
		in, _ := j.work.types()
		return nil, &CodecError{Run: j.asRun(), Op: "encode", What: "argument", Type: in, Err: err}
	}
	return argument, nil
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
