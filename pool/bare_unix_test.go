//go:build unix

package pool_test

import (
	"context"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func init() { programs["mirror"] = mirrorMain }

// mirrorMain is a bare process: it sends back what it gets, until the end.
func mirrorMain() {
	c, err := net.FileConn(os.NewFile(3, "channel"))
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// mirror is such a process and the channel to it: what a worker would be
// without a pool.
type mirror struct {
	process *exec.Cmd
	channel *net.UnixConn
}

// messageSize is about that of a small task's frame.
const messageSize = 64

func startMirror(b *testing.B) *mirror {
	b.Helper()
	ours, theirs, err := socketPair()
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Close() // FileConn duplicates it
	defer theirs.Close()
	channel, err := net.FileConn(ours)
	if err != nil {
		b.Fatal(err)
	}
	m := &mirror{process: program(context.Background(), "mirror"), channel: channel.(*net.UnixConn)}
	m.process.ExtraFiles = []*os.File{theirs}
	m.process.Stderr = os.Stderr
	if err := m.process.Start(); err != nil {
		b.Fatal(err)
	}
	return m
}

// newMirror starts a mirror that is stopped with the benchmark.
func newMirror(b *testing.B) *mirror {
	m := startMirror(b)
	b.Cleanup(func() {
		m.channel.Close()
		_ = m.process.Wait()
	})
	return m
}

func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs"), nil
}

// roundTrip sends one message there and back.
func (m *mirror) roundTrip(b *testing.B) {
	var message [messageSize]byte
	if _, err := m.channel.Write(message[:]); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(m.channel, message[:]); err != nil {
		b.Fatal(err)
	}
}

// roundTrips sends n messages there and back, 64 in a write.
func (m *mirror) roundTrips(n int) error {
	written := make(chan error, 1)
	go func() {
		batch := make([]byte, 64*messageSize)
		for left := n * messageSize; left > 0; left -= len(batch) {
			if _, err := m.channel.Write(batch[:min(left, len(batch))]); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	_, err := io.CopyN(io.Discard, readerOnly{m.channel}, int64(n*messageSize))
	if err != nil {
		return err
	}
	return <-written
}

// readerOnly keeps io.Copy from using splice(2), which no pool could.
type readerOnly struct{ io.Reader }
