package pool

import (
	"fmt"
	"reflect"
	"unsafe"
)

// raw is how a text, or a slice of bytes or of other numbers, travels: as what it is
// in memory. The zero value is that of types that do not.
//
// Its methods take a pointer to a value of the type that rawOf was asked about.
// They look at a slice of numbers as one of bytes, or of unsigned numbers of the
// same size, which differs in nothing but its type.
type raw struct {
	size int // of an element, in bytes; 0: the type does not travel like that
	text bool
}

// rawOf returns how values of a type travel that has no codec of its own.
func rawOf(t reflect.Type) raw {
	switch t.Kind() {
	case reflect.String:
		return raw{size: 1, text: true}
	case reflect.Slice:
		if e := t.Elem(); isNumber(e.Kind()) && !encodesItself(e) && !decodesItself(e) {
			return raw{size: int(e.Size())}
		}
	}
	return raw{}
}

// isNumber reports whether values of a kind are numbers of a fixed size, each value
// of which is one.
func isNumber(kind reflect.Kind) bool {
	return kind >= reflect.Int && kind <= reflect.Float64 && kind != reflect.Uintptr
}

// bytes returns the memory of a value.
func (r raw) bytes(v unsafe.Pointer) []byte {
	if r.text {
		s := *(*string)(v)
		return unsafe.Slice(unsafe.StringData(s), len(s))
	}
	elements := *(*[]byte)(v)
	return unsafe.Slice(unsafe.SliceData(elements), len(elements)*r.size)
}

// decode makes a value of a copy of data. Of no data it makes a slice that is nil.
func (r raw) decode(data []byte, v unsafe.Pointer) error {
	switch {
	case len(data)%r.size != 0:
		return fmt.Errorf("%d bytes are no elements of %d bytes", len(data), r.size)
	case len(data) == 0:
	case r.text:
		*(*string)(v) = string(data)
	case r.size == 1:
		*(*[]byte)(v) = append([]byte(nil), data...)
	case r.size == 2:
		*(*[]uint16)(v) = copyOf[uint16](data)
	case r.size == 4:
		*(*[]uint32)(v) = copyOf[uint32](data)
	default:
		*(*[]uint64)(v) = copyOf[uint64](data)
	}
	return nil
}

// copyOf copies data into memory that is aligned for its elements, and is not
// cleared before if data is, too.
func copyOf[E uint16 | uint32 | uint64](data []byte) []E {
	first, size := unsafe.Pointer(unsafe.SliceData(data)), int(unsafe.Sizeof(E(0)))
	if uintptr(first)%uintptr(size) == 0 {
		return append([]E(nil), unsafe.Slice((*E)(first), len(data)/size)...)
	}
	elements := make([]E, len(data)/size)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(elements))), len(data)), data)
	return elements
}

// adopt makes a value of data itself; false: it cannot be.
func (r raw) adopt(data []byte, v unsafe.Pointer) bool {
	first := unsafe.Pointer(unsafe.SliceData(data))
	switch {
	case len(data) == 0 || len(data)%r.size != 0 || uintptr(first)%uintptr(r.size) != 0:
		return false
	case r.text:
		*(*string)(v) = unsafe.String((*byte)(first), len(data))
	case r.size == 1:
		*(*[]byte)(v) = data[:len(data):len(data)]
	case r.size == 2:
		*(*[]uint16)(v) = unsafe.Slice((*uint16)(first), len(data)/2)
	case r.size == 4:
		*(*[]uint32)(v) = unsafe.Slice((*uint32)(first), len(data)/4)
	default:
		*(*[]uint64)(v) = unsafe.Slice((*uint64)(first), len(data)/8)
	}
	return true
}
