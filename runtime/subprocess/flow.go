package subprocess

import (
	"cmp"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// tailOfErrors is how much of a standard error that is not captured is kept for
// errors.
const tailOfErrors = 4 << 10

// flow reads an output of a command and passes it on.
type flow struct {
	name string
	pipe *os.File
	sink io.Writer
	kept *buffer // is or stands beside the sink; nil: nothing is kept
	wide widener

	mu  sync.Mutex
	err error // why it ended before its end
}

// newFlow returns nil for an output that does not pass through this program.
func newFlow(name string, to Output, limit int) *flow {
	f := &flow{name: name}
	switch to := to.(type) {
	case Sink:
		if to != Capture {
			return nil
		}
		f.kept = &buffer{first: limit - limit/2, last: limit / 2}
		f.sink = f.kept
		return f
	case writer:
		f.sink = to.Writer
	case lines:
		f.sink = &lineWriter{call: to.call}
	default:
		return nil
	}
	if name == "stderr" {
		f.kept = &buffer{last: tailOfErrors}
	}
	return f
}

// run returns at the end of the stream, when cut was called, or when the sink
// fails.
func (f *flow) run() {
	err := f.pass()
	if l, ok := f.sink.(*lineWriter); ok {
		l.flush()
	}
	_ = f.pipe.Close()
	f.end(err)
}

func (f *flow) pass() error {
	raw, err := f.pipe.SyscallConn()
	if err != nil {
		return err
	}
	for err == nil {
		err = f.passChunk(raw.Read)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = f.rest(raw)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// rest passes on what is in the pipe already and waits for no more. The bound is for
// a descendant that goes on writing: a pipe holds no more than that as a rule.
func (f *flow) rest(raw syscall.RawConn) error {
	for range restBound / chunkSize {
		nothing := false
		once := func(read func(fd uintptr) bool) error {
			return raw.Control(func(fd uintptr) { nothing = !read(fd) })
		}
		if err := f.passChunk(once); err != nil || nothing {
			return cmp.Or(err, ErrIncomplete)
		}
	}
	return ErrIncomplete
}

// passChunk returns io.EOF at the end of the stream.
func (f *flow) passChunk(wait func(read func(fd uintptr) bool) error) error {
	var chunk *[chunkSize]byte
	var n int
	var err error
	waitErr := wait(func(fd uintptr) (done bool) {
		chunk, n, err = readChunk(fd)
		return chunk != nil
	})
	if chunk == nil {
		return waitErr
	}
	defer chunks.Put(chunk)
	switch {
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	}
	f.wide.pass(f.pipe, n)
	return f.put(chunk[:n])
}

func (f *flow) put(b []byte) error {
	if f.kept != nil && f.sink != io.Writer(f.kept) {
		_, _ = f.kept.Write(b)
	}
	n, err := f.sink.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (f *flow) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// fault returns what the stream lacks.
func (f *flow) fault(args []string) *StreamError {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return &StreamError{Args: args, Stream: f.name, Err: err}
	}
	if f.captures() {
		if _, dropped, at := f.kept.kept(); dropped > 0 {
			return &StreamError{Args: args, Stream: f.name, Dropped: dropped, At: at, Err: ErrTruncated}
		}
	}
	return nil
}

func (f *flow) captures() bool { return f.sink == io.Writer(f.kept) }

// chunks are what flows read into. A flow has one while it has something to read.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

const (
	chunkSize = 64 << 10 // what a pipe holds
	restBound = 1 << 20  // what it can be made to hold
)

// captured returns what is to be in the Result.
func (f *flow) captured() []byte {
	if f == nil || !f.captures() {
		return nil
	}
	content, _, _ := f.kept.kept()
	return content
}

// tail returns the last bytes for an error.
func (f *flow) tail() []byte {
	if f == nil || f.kept == nil {
		return nil
	}
	content, _, _ := f.kept.kept()
	return content[max(0, len(content)-tailOfErrors):]
}
