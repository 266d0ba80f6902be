package pool_test

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// SEC-3: the argument of a task that was taken back from a worker, and done by another,
// is not yet written to the first one. Its memory is not used for the argument of another
// task, which the first worker would get to read.
func TestArgumentsTakenBack(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	const size, tasks = 900 << 10, 8 // one does not fit into a socket
	submit := func(content byte) {
		argument := bytes.Repeat([]byte{content}, size)
		var all []*futures.Future[int]
		for range tasks {
			all = append(all, same.Submit(t.Context(), p, argument))
		}
		for _, f := range all {
			if got := value(t, f); got != int(content) {
				t.Errorf("%d came as %d", content, got)
			}
		}
	}
	stopped := workerPID(t, p)
	channel := theirs(t, stopped, channelIn)
	stop(t, stopped)
	submit('a')
	submit('b')

	var got [256]int // how often each byte was
	buffer := make([]byte, 1<<20)
	for wait := []unix.PollFd{{Fd: int32(channel), Events: unix.POLLIN}}; got['a']+got['b'] < size; {
		if n, err := unix.Poll(wait, int(patience.Milliseconds())); err == unix.EINTR {
			continue
		} else if n == 0 {
			t.Fatal("the rest does not come")
		}
		n, err := unix.Read(channel, buffer)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		for _, b := range buffer[:n] {
			got[b]++
		}
	}
	if got['b'] >= 1000 { // a few are in what goes with an argument
		t.Errorf("the worker was sent %d bytes of a task that was its own, and %d of one that never was", got['a'], got['b'])
	}
	send(t, stopped, unix.SIGKILL)
}

// theirs returns a descriptor of another process, as one of this one.
func theirs(t *testing.T, pid, fd int) int {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	ours, err := unix.PidfdGetfd(process, fd, 0)
	if err == unix.EPERM || err == unix.ENOSYS {
		t.Skip("this user may not take the descriptors of other processes: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(ours) })
	return ours
}
