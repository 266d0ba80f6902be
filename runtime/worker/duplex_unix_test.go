//go:build unix

package worker_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// duplex is one end of a channel: of two sockets, each for one direction.
type duplex struct {
	net.Conn          // is read
	out      net.Conn // is written to
}

// duplexOf makes one of the files of both sockets, and closes these.
func duplexOf(t testing.TB, in, out *os.File) duplex {
	t.Helper()
	var conns [2]net.Conn
	for i, f := range []*os.File{in, out} {
		conn, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	return duplex{conns[0], conns[1]}
}

func (d duplex) Write(p []byte) (int, error) { return d.out.Write(p) }

func (d duplex) SetDeadline(at time.Time) error {
	return errors.Join(d.Conn.SetDeadline(at), d.out.SetDeadline(at))
}

// CloseWrite has the other side read the end.
func (d duplex) CloseWrite() error { return d.out.Close() }

func (d duplex) Close() error { return errors.Join(d.Conn.Close(), d.out.Close()) }

func socketPair(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
}
