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
	buffer  bool // T is *Buffer
	apart   bool // decodes with code of its own, somewhere in it
}

func codecFor[T any]() codec[T] {
	t := reflect.TypeFor[T]()
	c := codec[T]{apart: shapeOf(t).decodes}
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[*Buffer]():
		c.buffer, c.apart = true, false
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
	case c.buffer:
		return c.asBuffer(v).append(dst)
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

// rawSize is how many bytes a value takes that travels as what it is in memory; 0: it does
// not.
func (c codec[T]) rawSize(v *T) int {
	if c.raw.size == 0 {
		return 0
	}
	return len(c.raw.bytes(unsafe.Pointer(v)))
}

// weight is how many bytes a value takes, where that is known without encoding it;
// otherwise 0.
func (c codec[T]) weight(v *T) int {
	switch {
	case c.raw.size > 0:
		return c.rawSize(v)
	case c.buffer && c.asBuffer(v) != nil:
		return c.asBuffer(v).Len()
	}
	return c.size
}

// asBuffer relies on T being *Buffer.
func (c codec[T]) asBuffer(v *T) *Buffer { return *c.toBuffer(v) }

func (c codec[T]) toBuffer(v *T) **Buffer { return (**Buffer)(unsafe.Pointer(v)) }

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
	case c.buffer:
		*c.toBuffer(&v) = bufferOfResult(worker.Payload{Data: data})
		return v, nil
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

// accept makes an argument of what has come to a worker.
func (c codec[T]) accept(p worker.Payload) (v T, err error) {
	switch {
	case c.buffer:
		b := &Buffer{shared: p.Region}
		if p.Region == nil {
			b.heap.Store(&p.Data)
		}
		*c.toBuffer(&v) = b
		return v, nil
	case p.Region == nil:
		return c.decodeOwn(p.Data)
	}
	return c.decode(p.Data)
}

// give makes a payload of a task's result in its worker.
func (c codec[T]) give(v *T) (worker.Payload, error) {
	if c.buffer {
		return c.asBuffer(v).give()
	}
	data, err := c.appendResult(nil, v)
	return worker.Payload{Data: data}, err
}

// discard lets go of a result that nobody gets.
func (c codec[T]) discard(v *T) {
	if c.buffer && c.asBuffer(v) != nil {
		c.asBuffer(v).Release()
	}
}

// receive makes a result of what has come to the host. The worker may change what is
// shared at any time, so what is more than a row of bytes is checked and decoded in
// a copy.
func (c codec[T]) receive(p worker.Payload) (v T, err error) {
	switch {
	case c.buffer:
		*c.toBuffer(&v) = bufferOfResult(p)
		return v, nil
	case p.Region == nil:
		return c.decodeApart(p.Data)
	case c.raw.size > 0:
		err = p.Region.Use(func(data []byte) error {
			v, err = c.decode(data)
			return err
		})
		return v, err
	}
	data, err := p.Region.Copy()
	if err != nil {
		return v, err
	}
	return c.decodeApart(data)
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
