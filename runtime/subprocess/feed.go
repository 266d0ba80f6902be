package subprocess

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
)

// feed writes a command's standard input.
type feed struct {
	pipe   *os.File
	source io.Reader // nil: whoever has the pipe writes
	wide   widener

	mu  sync.Mutex
	err error // of the source
}

// run copies until the source ends or the command takes no more.
func (f *feed) run() {
	err := f.copy()
	_ = f.pipe.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// copy returns what the source says. What the command does not read is no error:
// it may know enough.
func (f *feed) copy() error {
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk)
	for {
		n, err := f.source.Read(chunk[:])
		if _, broken := f.pipe.Write(chunk[:n]); broken != nil {
			return refusal(broken)
		}
		f.wide.pass(f.pipe, n)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// refusal drops what the end of the command explains.
func refusal(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (f *feed) fault(args []string) *StreamError {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		return nil
	}
	return &StreamError{Args: args, Stream: "stdin", Err: f.err}
}
