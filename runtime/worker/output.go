package worker

import (
	"errors"
	"io"
	"os"
	"time"
)

const (
	// outputDrain is how long, after the channel's end, the worker's output may
	// take to reach its own. A dead worker's has ended already; a grandchild may
	// hold it.
	outputDrain = 50 * time.Millisecond
	// outputChunk is how much of it is read at a time.
	outputChunk = 4 << 10
	// outputRest is how much a pipe holds.
	outputRest = 64 << 10
)

// output is one of a worker's standard streams, as the host reads it.
type output struct {
	pipe   *os.File
	tail   *tail          // keeps the end of it; nil: nobody does
	onward io.WriteCloser // nil: nowhere
	ended  chan struct{}
}

// openOutput returns a stream and the worker's end of it.
func openOutput(tail *tail, onward io.WriteCloser) (*output, *os.File, error) {
	pipe, workers, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return &output{pipe: pipe, tail: tail, onward: onward, ended: make(chan struct{})}, workers, nil
}

// pass reads until the end, an error or the deadline, and passes on what it
// reads. If the one whom that goes to ends the goroutine, another one goes on.
func (o *output) pass() {
	over := false
	defer func() {
		if over {
			close(o.ended)
		} else {
			go o.pass()
		}
	}()
	o.read(func(p []byte) {
		if o.onward != nil {
			_, _ = o.onward.Write(p) // a worker must not stop because its host's terminal is gone
		}
	})
	over = true
	if o.onward != nil {
		_ = o.onward.Close()
	}
}

// read reads until the end, an error or the deadline, and then what is in the pipe yet: who
// comes late, since the machine stood still, has not lost it.
func (o *output) read(each func([]byte)) {
	chunk := make([]byte, outputChunk)
	for rest := 0; rest < outputRest; { // a grandchild may go on writing
		n, err := o.pipe.Read(chunk)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			n, err = readOnce(o.pipe, chunk)
			rest += len(chunk)
		}
		if n > 0 {
			if o.tail != nil {
				o.tail.keep(chunk[:n])
			}
			each(chunk[:n])
		}
		if err != nil {
			return
		}
	}
}

// end waits until the stream has ended, which its deadline sees to, and closes it.
// It does not wait longer for somebody onward who blocks; what that one is not
// given any more is in the tail all the same.
func (o *output) end(deadline time.Time) {
	_ = o.pipe.SetReadDeadline(deadline)
	select {
	case <-o.ended:
	case <-time.After(time.Until(deadline) + outputDrain):
		_ = o.pipe.SetReadDeadline(time.Now().Add(outputDrain / 10))
		o.read(func([]byte) {})
	}
	o.pipe.Close()
}
