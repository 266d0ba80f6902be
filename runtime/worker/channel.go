package worker

import (
	"errors"
	"os"
	"time"
)

// channel is one end of the way between a host and one worker: two sockets, each for one
// direction. One for both would be half as fast for small messages: whenever a socket's
// other side has read, the system wakes up who waits at it, be it for something to read, and
// Go's poller waits there all the time. The socket that is written to is not in the
// poller, so that nobody waits at it.
type channel struct {
	in  *os.File // is read, with the poller
	out *os.File // is written to, without it
}

// Read reads what the other side has written. The end of it is the end of the other side,
// or of giveUp.
func (c channel) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return readOnce(c.in, p)
	}
	return n, err
}

// giveUp has Read come to its end after what has been written until now. To shut the
// socket down would do so on Linux alone: other systems then throw away what is in it.
func (c channel) giveUp() { _ = c.in.SetReadDeadline(time.Unix(1, 0)) }

// Write returns when all is written, or the other side is gone. Workers only: a host does
// not wait for a worker; see outbox.
func (c channel) Write(p []byte) (int, error) { return c.out.Write(p) }
