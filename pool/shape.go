package pool

import (
	"encoding"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// shape is what there is to know about a type before its values are encoded and
// decoded.
type shape struct {
	nests   bool // without end, possibly: it contains itself, or an interface, which can hold anything
	decodes bool // with code of its own, somewhere in it
}

// shapes remembers what shapeOf has found out: reflect.Type → shape.
var shapes sync.Map

func shapeOf(t reflect.Type) shape {
	if known, ok := shapes.Load(t); ok {
		return known.(shape)
	}
	var s shape
	s.explore(t, make(map[reflect.Type]bool))
	shapes.Store(t, s)
	return s
}

// explore goes through a type. Those that it has been to are in seen: true while
// it is within them.
func (s *shape) explore(t reflect.Type, seen map[reflect.Type]bool) {
	if within, been := seen[t]; been {
		s.nests = s.nests || within
		return
	}
	seen[t] = true
	defer func() { seen[t] = false }()
	s.decodes = s.decodes || decodesItself(t)
	if encodesItself(t) {
		return
	}
	switch t.Kind() {
	case reflect.Interface:
		s.nests = true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		s.explore(t.Elem(), seen)
	case reflect.Map:
		s.explore(t.Key(), seen)
		s.explore(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); travels(f) {
				s.explore(f.Type, seen)
			}
		}
	}
}

func encodesItself(t reflect.Type) bool {
	return has[interface{ MarshalCBOR() ([]byte, error) }](t) || has[encoding.BinaryMarshaler](t)
}

func decodesItself(t reflect.Type) bool {
	return t != reflect.TypeFor[time.Time]() && // the codec's own business
		(has[interface{ UnmarshalCBOR([]byte) error }](t) || has[encoding.BinaryUnmarshaler](t))
}

// has reports whether a type, or a pointer to it, has the methods of an
// interface.
func has[Interface any](t reflect.Type) bool {
	return t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(reflect.TypeFor[Interface]())
}

// travels reports whether a struct's field is encoded with it.
func travels(f reflect.StructField) bool {
	tag, ok := f.Tag.Lookup("cbor")
	if !ok {
		tag = f.Tag.Get("json")
	}
	return tag != "-" && (f.IsExported() || f.Anonymous)
}

// maxDepth bounds how deep an argument or result may nest, counting what it
// contains and what it points to. The decoder's own bound is lower. Without one
// here a value that contains itself would overflow the stack, which no program
// survives.
const maxDepth = 128

// checkDepth tells whether v ends within so many levels.
func checkDepth(v reflect.Value, levels int) error {
	if !v.IsValid() || !shapeOf(v.Type()).nests {
		return nil
	}
	if levels == 0 {
		return fmt.Errorf("it nests deeper than %d levels: does it contain itself?", maxDepth)
	}
	for part := range parts(v) {
		if err := checkDepth(part, levels-1); err != nil {
			return err
		}
	}
	return nil
}

// parts goes through what v points to or contains.
func parts(v reflect.Value) func(yield func(reflect.Value) bool) {
	return func(yield func(reflect.Value) bool) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			yield(v.Elem())
		case reflect.Slice, reflect.Array:
			for i := 0; i < v.Len() && yield(v.Index(i)); i++ {
			}
		case reflect.Map:
			for pairs := v.MapRange(); pairs.Next() && yield(pairs.Key()) && yield(pairs.Value()); {
			}
		case reflect.Struct:
			for i := 0; i < v.NumField(); i++ {
				if travels(v.Type().Field(i)) && !yield(v.Field(i)) {
					return
				}
			}
		}
	}
}
