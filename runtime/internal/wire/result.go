package wire

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"
)

// Result is the payload of KindValue and KindFailure.
type Result struct {
	Elapsed time.Duration // from the task's beginning to its end, by the worker's clock
	Data    []byte        // an encoded value, or an encoded Failure
}

// ResultHeadSize is the number of bytes before a result's data.
const ResultHeadSize = 8

// AppendResultHead appends a result's frame up to its data, of which size bytes
// follow.
func AppendResultHead(dst []byte, h Header, elapsed time.Duration, size int) []byte {
	h.Size = uint32(ResultHeadSize + size)
	return binary.LittleEndian.AppendUint64(AppendHeader(dst, h), uint64(elapsed))
}

// ParseResult decodes a KindValue or KindFailure payload. Data aliases it.
func ParseResult(payload []byte) (Result, error) {
	if len(payload) < ResultHeadSize {
		return Result{}, &Error{What: "result", Reason: fmt.Sprintf("payload of %d bytes is too short", len(payload))}
	}
	elapsed := int64(binary.LittleEndian.Uint64(payload))
	if elapsed < 0 {
		return Result{}, &Error{What: "result", Reason: "negative time"}
	}
	return Result{Elapsed: time.Duration(elapsed), Data: payload[ResultHeadSize:]}, nil
}

// FailureKind says in which way a task failed inside its worker.
type FailureKind uint8

// The ways in which a task fails and its worker lives on.
const (
	FailureError    FailureKind = iota + 1 // the task returned an error
	FailurePanic                           // it panicked
	FailureGoexit                          // it called runtime.Goexit
	FailureArgument                        // its argument could not be decoded
	FailureResult                          // its result could not be encoded
	FailureUnknown                         // no task of that name is registered
	failureBeyond
)

// Failure tells how a task failed.
type Failure struct {
	Kind    FailureKind `cbor:"1,keyasint"`
	Message string      `cbor:"2,keyasint"`
	Type    string      `cbor:"3,keyasint,omitempty"` // the Go type of the error or of the panic's value
	Stack   string      `cbor:"4,keyasint,omitempty"`
	Is      []string    `cbor:"5,keyasint,omitempty"` // names of well-known errors that the error matches
}

// maxText bounds each text of a failure, and the names in Is together, so that
// an error of a gigabyte does not become a gigabyte of log.
const maxText = 64 << 10

// MaxFailure is the most bytes that EncodeFailure returns: three texts, the
// names, and what says how long they are.
const MaxFailure = 4*maxText + 1<<10

// EncodeFailure encodes f, its texts cut to 64 KiB each. Names in Is beyond as
// many bytes are left out.
func EncodeFailure(f Failure) ([]byte, error) {
	f.Message, f.Stack, f.Type, f.Is = cut(f.Message), cut(f.Stack), cut(f.Type), first(f.Is)
	return Marshal(f)
}

// DecodeFailure is the inverse of EncodeFailure and checks what it gets.
func DecodeFailure(data []byte) (Failure, error) {
	var f Failure
	if len(data) > MaxFailure {
		return f, &Error{What: "failure", Reason: fmt.Sprintf("%d bytes are over the limit of %d", len(data), MaxFailure)}
	}
	if err := Unmarshal(data, &f); err != nil {
		return f, &Error{What: "failure", Reason: err.Error()}
	}
	if f.Kind == 0 || f.Kind >= failureBeyond {
		return f, &Error{What: "failure", Reason: fmt.Sprintf("unknown kind %d", f.Kind)}
	}
	f.Message, f.Stack, f.Type = cut(f.Message), cut(f.Stack), cut(f.Type)
	return f, nil
}

// cut shortens a text, between two characters, and says by how much.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText - 64 // room for what follows
	for back := 0; back < utf8.UTFMax-1 && !utf8.RuneStart(text[end]); back++ {
		end--
	}
	return fmt.Sprintf("%s… (%d more bytes)", text[:end], len(text)-end)
}

// first returns the names that maxText bytes hold.
func first(names []string) []string {
	const head = 5 // bytes that say how long a name is, at most
	size := 0
	for i, name := range names {
		if size += head + len(name); size > maxText {
			return names[:i]
		}
	}
	return names
}
