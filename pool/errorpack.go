package pool

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// This file is how errors travel from the host to a task that has submitted
// others: those of this package as what they are, with their fields, and any other
// as a text and the well-known errors that it matches. Both sides are the same
// program.

// travellers are the error types that stay what they are: pointers to structs,
// whose exported fields travel.
var travellers = byName(
	&TimeoutError{}, &SilenceError{}, &ExcessError{}, &QueueTimeoutError{}, &KilledError{}, &WorkerError{}, &PanicError{}, &TaskError{},
	&CodecError{}, &QuarantineError{}, &BrokenError{}, &InitializerError{}, &StateError{}, &RetryError{}, &UnkillableError{}, &MemoryError{}, &CPUTimeError{}, &OutOfMemoryError{}, &actors.MemoryError{}, &NestingError{}, &ConfigError{}, &futures.CancelledError{},
)

func byName(all ...error) map[string]reflect.Type {
	types := make(map[string]reflect.Type)
	for _, err := range all {
		t := reflect.TypeOf(err).Elem()
		types[t.String()] = t
	}
	return types
}

// packedError is an error on its way.
type packedError struct {
	Type   string              `cbor:"1,keyasint,omitempty"` // of travellers; empty: any other
	Text   string              `cbor:"2,keyasint,omitempty"`
	Is     []string            `cbor:"3,keyasint,omitempty"` // names of well-known errors
	Fields map[string][]byte   `cbor:"4,keyasint,omitempty"` // encoded, by their paths
	Errors map[string][][]byte `cbor:"5,keyasint,omitempty"` // packed errors, of the fields that hold errors
}

// maxErrorDepth bounds how many errors hold one another.
const maxErrorDepth = 16

// maxErrorList bounds how many attempts an error tells of.
const maxErrorList = 1 << 10

// packError describes an error for a reply. One that is too large is told by the
// beginning of its text.
func packError(err error) []byte {
	packed := pack(err, maxErrorDepth)
	if len(packed) > worker.MaxReply-maxReplyHead {
		packed = pack(errors.New(cutText(err.Error())), 1)
	}
	return packed
}

func cutText(text string) string {
	const most = 64 << 10
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d more bytes)", text[:most], len(text)-most)
}

func pack(err error, depth int) []byte {
	var p packedError
	v := reflect.ValueOf(err)
	if t := v.Type(); t.Kind() == reflect.Pointer && travellers[t.Elem().String()] == t.Elem() && !v.IsNil() && depth > 0 {
		p.Type, p.Fields, p.Errors = t.Elem().String(), make(map[string][]byte), make(map[string][][]byte)
		p.packFields(v.Elem(), "", depth)
	} else {
		described := describeError(err)
		p.Text, p.Is = described.Message, described.Is
	}
	data, e := worker.Marshal(p)
	if e != nil {
		data, _ = worker.Marshal(packedError{Text: fmt.Sprintf("%T", err)})
	}
	return data
}

var errorType = reflect.TypeFor[error]()

// packFields packs the exported fields of a struct. One that cannot be encoded is
// left out.
func (p *packedError) packFields(v reflect.Value, path string, depth int) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, value := path+"."+f.Name, v.Field(i)
		switch {
		case !f.IsExported():
		case f.Type == errorType:
			if !value.IsNil() {
				p.Errors[name] = [][]byte{pack(value.Interface().(error), depth-1)}
			}
		case f.Type == reflect.SliceOf(errorType):
			for _, err := range value.Interface().([]error) {
				p.Errors[name] = append(p.Errors[name], pack(err, depth-1))
			}
		case holdsErrors(f.Type):
			p.packFields(value, name, depth)
		case f.Type.Kind() == reflect.Slice && holdsErrors(f.Type.Elem()):
			p.Fields[name], _ = worker.Marshal(value.Len())
			for n := range value.Len() {
				p.packFields(value.Index(n), fmt.Sprint(name, ".", n), depth)
			}
		default:
			if data, err := worker.Marshal(value.Interface()); err == nil {
				p.Fields[name] = data
			}
		}
	}
}

// holdsErrors reports whether a struct has fields that are errors.
func holdsErrors(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if f := t.Field(i).Type; f == errorType || f == reflect.SliceOf(errorType) || holdsErrors(f) {
			return true
		}
	}
	return false
}

// unpackError is the inverse of packError.
func unpackError(packed []byte) error { return unpack(packed, maxErrorDepth+1) }

func unpack(data []byte, depth int) error {
	var p packedError
	if err := worker.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("an error that cannot be decoded: %w", err)
	}
	t, travels := travellers[p.Type]
	if !travels || depth == 0 {
		return p.remote()
	}
	v := reflect.New(t)
	p.unpackFields(v.Elem(), "", depth)
	return v.Interface().(error)
}

func (p *packedError) unpackFields(v reflect.Value, path string, depth int) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, field := path+"."+f.Name, v.Field(i)
		switch {
		case !f.IsExported():
		case f.Type == errorType:
			if packed := p.Errors[name]; len(packed) > 0 {
				field.Set(reflect.ValueOf(unpack(packed[0], depth-1)))
			}
		case f.Type == reflect.SliceOf(errorType):
			for _, packed := range p.Errors[name] {
				field.Set(reflect.Append(field, reflect.ValueOf(unpack(packed, depth-1))))
			}
		case holdsErrors(f.Type):
			p.unpackFields(field, name, depth)
		case f.Type.Kind() == reflect.Slice && holdsErrors(f.Type.Elem()):
			var length int
			if worker.Unmarshal(p.Fields[name], &length) != nil || length < 0 || length > maxErrorList {
				continue
			}
			field.Set(reflect.MakeSlice(f.Type, length, length))
			for n := range length {
				p.unpackFields(field.Index(n), fmt.Sprint(name, ".", n), depth)
			}
		default:
			_ = worker.Unmarshal(p.Fields[name], field.Addr().Interface()) // left out, if it could not be encoded
		}
	}
}

// remote is an error that is known by its text, or is one of the well-known ones.
func (p *packedError) remote() error {
	remote := &remoteError{text: p.Text, known: knownErrors(p.Is)}
	if i := slices.IndexFunc(remote.known, func(err error) bool { return err.Error() == p.Text }); i >= 0 {
		return remote.known[i]
	}
	return remote
}
