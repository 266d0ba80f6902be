//go:build unix

package worker_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

// pattern is what task id has as its argument.
func pattern(id uint64, size int) []byte { return bytes.Repeat([]byte{byte(id)}, size) }

// Whoever offers and flushes, and however slowly the worker reads: every frame
// arrives whole, once, in the order of the offers, and without another push.
func TestFlushHammer(t *testing.T) {
	leaktest.Check(t)
	const pools, each = 4, 150
	sizes := []int{0, 10, 1000, 32<<10 - 1, 32 << 10, 300 << 10}
	w := newWatcher()
	link, i := openImpostor(t, w)
	i.write(i.answer(nil))

	free := make(chan struct{}, worker.Slots)
	for range worker.Slots {
		free <- struct{}{}
	}
	var mu sync.Mutex // as a pool's
	var lastID uint64
	var all sync.WaitGroup
	for range pools {
		all.Go(func() {
			for range each {
				<-free
				size := sizes[rand.IntN(len(sizes))]
				mu.Lock()
				lastID++
				link.Offer(slotOf(lastID), lastID, "task", 0, pattern(lastID, size))
				mu.Unlock()
				if rand.IntN(10) == 0 {
					link.Cancel(0, true)
				}
				link.Flush()
			}
		})
	}
	for want := uint64(1); want <= pools*each; {
		header, payload, err := i.frames.Next()
		if err != nil {
			t.Fatalf("task %d: %v", want, err)
		}
		if header.Kind == wire.KindCancel {
			continue
		}
		task, err := wire.ParseTask(payload)
		if err != nil || header.ID != want || !bytes.Equal(task.Argument, pattern(want, len(task.Argument))) {
			t.Fatalf("%+v, %v; want task %d, whole", header, err, want)
		}
		free <- struct{}{}
		want++
	}
	all.Wait()
	link.Close()
	if err, _ := receive(t, w.closed); err != nil {
		t.Errorf("closed with %v", err)
	}
}

// A writer that waits for a worker is no obstacle to Close, at any moment.
func TestCloseDuringFlush(t *testing.T) {
	leaktest.Check(t)
	for range 50 {
		w := newWatcher()
		link, i := openImpostor(t, w)
		i.write(i.answer(nil))
		var all sync.WaitGroup
		all.Go(func() {
			for id := range uint64(worker.Slots) {
				link.Offer(slotOf(id), id, "task", 0, pattern(id, 40<<10))
				link.Flush()
			}
		})
		if _, _, err := i.frames.Next(); err != nil {
			t.Fatal(err)
		}
		all.Go(link.Close)
		receive(t, w.closed)
		all.Wait()
		i.conn.Close()
		link.Release()
	}
}

// Without a descriptor for the poller, what a slow worker does not take at once waits on a
// thread: every frame arrives all the same, and Close ends the wait. Meanwhile the socket
// does not block, since somebody may flush when the thread has written all.
func TestSlowWorkerWithoutDescriptors(t *testing.T) {
	leaktest.Check(t)
	w := newWatcher()
	link, i := openImpostor(t, w)
	i.write(i.answer(nil))
	offer := func(first uint64) {
		for id := first; id < first+worker.Slots; id++ {
			link.Offer(slotOf(id), id, "task", 0, pattern(id, 40<<10))
			link.Flush()
		}
	}
	blocking := blockingSockets()
	withoutDescriptors(t, func() {
		offer(0)
		for id := range uint64(worker.Slots) {
			header, payload, err := i.frames.Next()
			if err != nil {
				t.Fatalf("task %d: %v", id, err)
			}
			if task, err := wire.ParseTask(payload); err != nil || header.ID != id || !bytes.Equal(task.Argument, pattern(id, 40<<10)) {
				t.Fatalf("task %d: %v, %v", id, header, err)
			}
			if id == worker.Slots/2 && blockingSockets() != blocking { // more than sockets hold is read, and more is left
				t.Error("the socket blocks")
			}
		}
		offer(worker.Slots) // nobody reads these
		link.Close()
		receive(t, w.closed)
	})
}

// blockingSockets counts the sockets of this process at which a write waits for room.
func blockingSockets() (n int) {
	for fd := range 1024 {
		_, notSocket := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if notSocket == nil && err == nil && flags&unix.O_NONBLOCK == 0 {
			n++
		}
	}
	return n
}

// withoutDescriptors calls f while no other descriptor can be opened.
func withoutDescriptors(t *testing.T, f func()) {
	t.Helper()
	var whole syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &whole); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: whole.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &whole); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// Written says of an argument that nobody reads it any more, and not sooner: of one that is
// written by itself, when it was, also if the worker reads slowly or not at all.
func TestWritten(t *testing.T) {
	w := newWatcher()
	link, i := openImpostor(t, w)
	i.write(i.answer(nil))
	const size, tasks = 100 << 10, 50 // 5 MB, which no socket takes at once
	for id := uint64(1); id <= tasks; id++ {
		if link.Written(id, size) || !link.Written(id, 1000) {
			t.Fatalf("task %d, not offered", id)
		}
		link.Offer(slotOf(id), id, "task", 0, pattern(id, size))
	}
	link.Flush()
	if link.Written(tasks, size) {
		t.Error("the last one is written, and nobody has read the first")
	}
	for id := uint64(1); id <= tasks; id++ {
		header, _, err := i.frames.Next()
		for err == nil && header.Kind == wire.KindHello {
			header, _, err = i.frames.Next()
		}
		if err != nil || header.ID != id {
			t.Fatalf("task %d: %v, %v", id, header, err)
		}
	}
	for until := time.Now().Add(patience); !link.Written(tasks, size); {
		if time.Now().After(until) {
			t.Fatal("all are read, and the last is not written")
		}
		runtime.Gosched()
	}
}

// What a link holds is written by nobody, until it is let go: then all of it, in its order.
func TestHold(t *testing.T) {
	link, i := openImpostor(t, newWatcher())
	i.write(i.answer(nil))
	unread := func() (n int) {
		raw, err := i.conn.Conn.(syscall.Conn).SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) {
				n, _, _ = unix.Recvfrom(int(fd), make([]byte, 1000), unix.MSG_PEEK|unix.MSG_DONTWAIT)
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		return max(n, 0)
	}
	for id := uint64(1); id <= 3; id++ {
		link.Hold(true)
		link.Offer(slotOf(id), id, "task", 0, pattern(id, 100))
		link.Flush()
		link.Cancel(id, true) // is sent at once
		if n := unread(); n != 0 {
			t.Errorf("task %d: %d bytes are written", id, n)
		}
		link.Hold(false)
		if n := unread(); n != 0 {
			t.Errorf("task %d: %d bytes are written before a flush", id, n)
		}
		link.Flush()
		for _, want := range []wire.Kind{wire.KindTask, wire.KindCancel} {
			if header, _, err := i.frames.Next(); err != nil || header.Kind != want || header.ID != id {
				t.Fatalf("task %d: got %v, %v", id, header, err)
			}
		}
	}
}
