package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// ErrNoMain says that a program was started as a worker and did not serve.
var ErrNoMain = errors.New("pool.Main was not called before the first pool: make pool.Main() the first statement of func main " +
	"(and of TestMain in tests); a worker process is this same program, and it serves tasks from inside pool.Main")

// HandshakeError says why a process that was started as a worker was refused
// before it got any work.
type HandshakeError struct {
	Worker   int
	Mismatch bool // another build: to start it again is useless
	Reason   string
}

// Error implements error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("handshake with worker %d failed: %s", e.Worker, e.Reason)
}

// InitializeError says that what comes before a worker's first task has failed,
// or that the worker ended while it did it.
type InitializeError struct {
	Worker  int
	Elapsed time.Duration // by the worker's clock; 0: it did not tell
	Failure *Failure      // nil: the worker ended
}

// Error implements error.
func (e *InitializeError) Error() string {
	if e.Failure == nil {
		return fmt.Sprintf("worker %d ended while it initialized", e.Worker)
	}
	return fmt.Sprintf("worker %d could not initialize, after %v: %s", e.Worker, e.Elapsed, e.Failure.Message)
}

// ProtocolError says that a worker sent what no worker sends. It is killed, and
// nothing further that it sent is used.
type ProtocolError struct {
	Worker int
	Err    error // what was wrong
}

// Error implements error.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("worker %d sent what no worker sends and is no longer trusted: %v", e.Worker, e.Err)
}

// Unwrap returns what was wrong.
func (e *ProtocolError) Unwrap() error { return e.Err }

// Failure tells how a task failed in a worker that lives on.
type Failure = wire.Failure

// FailureKind says in which way.
type FailureKind = wire.FailureKind

// The ways in which a task fails and its worker lives on.
const (
	FailureError    = wire.FailureError
	FailurePanic    = wire.FailurePanic
	FailureGoexit   = wire.FailureGoexit
	FailureArgument = wire.FailureArgument
	FailureResult   = wire.FailureResult
	FailureUnknown  = wire.FailureUnknown
)

// Marshal encodes an argument or a result for the channel: CBOR (RFC 8949).
// What has no encoding, as a channel or a function, is an error.
func Marshal(v any) ([]byte, error) { return wire.Marshal(v) }

// Unmarshal decodes what Marshal encoded, trusting nothing: nesting, element
// counts, duplicate keys, tags and lengths are checked.
func Unmarshal(data []byte, v any) error { return wire.Unmarshal(data, v) }

// CheckValues says whether encoded context values may have so many bytes: 64 KiB.
func CheckValues(size int) error { return wire.CheckValues(size) }

// CheckName says whether a task may bear this name: 1 to 1024 bytes.
func CheckName(name string) error { return wire.CheckName(name) }
