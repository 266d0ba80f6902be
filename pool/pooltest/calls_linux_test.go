package pooltest_test

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// errnos are what each call can fail with.
var errnos = map[string][]error{
	pooltest.PidfdOpen:   {unix.ENOSYS, unix.EPERM, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ESRCH},
	pooltest.EpollCreate: {unix.EMFILE, unix.ENOMEM},
	pooltest.EpollCtl:    {unix.ENOSPC, unix.ENOMEM, unix.EPERM},
	pooltest.EpollWait:   {unix.EINTR, unix.EBADF},
	pooltest.Clone:       {unix.EAGAIN, unix.ENOMEM, unix.EPERM},
	pooltest.Socketpair:  {unix.EMFILE, unix.ENFILE, unix.ENOBUFS},
	pooltest.MemfdCreate: {unix.EMFILE, unix.ENOMEM, unix.EPERM},
	pooltest.Mmap:        {unix.ENOMEM, unix.EPERM},
}

// hostless are the calls that make a host: without them there is none, or, if the
// back end is left to it, one that polls.
var hostless = []string{pooltest.PidfdOpen, pooltest.EpollCreate}

// TestEveryCallFails: of every system call that the library makes some fail, at a
// pool's start and under its work, and it comes through; or all, and it says so.
func TestEveryCallFails(t *testing.T) {
	for call, all := range errnos {
		for _, errno := range all {
			if fewer && errno != all[0] {
				continue
			}
			t.Run(call+" "+errno.Error(), func(t *testing.T) {
				t.Run("at times", func(t *testing.T) {
					var faults pooltest.Faults
					host := quietHost(t, &faults, reactor.BackendAuto)
					faults.Fail(call, errno, 2)
					p := faults.NewPool(t, config(host))
					faults.Fail(call, errno, 2)
					for range 2 { // workers that need another
						if err := end.Submit(t.Context(), p, 3).Err(t.Context()); !errors.Is(err, pool.ErrWorkerDied) {
							t.Errorf("the end of a worker: %v", err)
						}
					}
					w := try(t, p, false)
					w.extra = 2
					if failed := w.check(); failed != 0 {
						t.Errorf("%d tasks have failed", failed)
					}
				})
				t.Run("always", func(t *testing.T) {
					var faults pooltest.Faults
					times := pooltest.Always
					if errno == unix.EINTR { // which is tried again at once, for ever
						times = 1000
					}
					faults.Fail(call, errno, times)
					host, err := runtime.Start(runtime.Config{Backend: reactor.BackendAuto, Faults: &faults, Logger: slog.New(slog.DiscardHandler)})
					if err != nil {
						t.Fatalf("a host that may poll: %v", err)
					}
					defer host.Close()
					c := config(host)
					c.MaxFailures, c.Faults = 2, &faults
					p, err := pool.NewProcessPool(c)
					if err != nil { // it needs the call, and says so
						if !errors.Is(err, pool.ErrBroken) || !errors.Is(err, errno) {
							t.Errorf("got %v", err)
						}
						return
					}
					if failed := try(t, p, false).check(); failed != 0 {
						t.Errorf("%d tasks have failed", failed)
					}
				})
			})
		}
	}
}

// quietHost is a host that tells nobody of what it meets.
func quietHost(t *testing.T, faults *pooltest.Faults, backend reactor.Backend) *runtime.Host {
	t.Helper()
	host, err := runtime.Start(runtime.Config{Backend: backend, Faults: faults, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// TestFailOfABackend: a back end that was asked for by name is not replaced; the
// error tells the call.
func TestFailOfABackend(t *testing.T) {
	for _, call := range hostless {
		var faults pooltest.Faults
		faults.Fail(call, unix.EMFILE, 1)
		host, err := runtime.Start(runtime.Config{Backend: reactor.BackendPidfd, Faults: &faults})
		if be, ok := errors.AsType[*reactor.BackendError](err); host != nil || !ok || !errors.Is(err, unix.EMFILE) || be.Name != "pidfd" || faults.Failed(call) != 1 {
			t.Errorf("%s: %v, %v", call, host, err)
		}
	}
}

// TestLostBackend: when the epoll set cannot be waited for any more, the processes
// that were in it are polled, and alarms ring on.
func TestLostBackend(t *testing.T) {
	var faults pooltest.Faults
	host := quietHost(t, &faults, reactor.BackendPidfd)
	p := faults.NewPool(t, config(host))
	faults.Fail(pooltest.EpollWait, unix.EBADF, 1)
	rung := make(chan struct{})
	host.Reactor().NewAlarm(func() { close(rung) }).Set(time.Now().Add(10 * time.Millisecond)) // wakes the loop, which fails
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s := host.Reactor().Stats()
		if s.Backend == reactor.BackendPoll && s.Polled == s.Watches { // one watch after the other
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, after %d failures", s, faults.Failed(pooltest.EpollWait))
		}
	}
	if err := end.Submit(t.Context(), p, 3).Err(t.Context()); !errors.Is(err, pool.ErrWorkerDied) {
		t.Errorf("the end of a worker: %v", err)
	}
	select {
	case <-rung:
	case <-time.After(patience):
		t.Error("an alarm did not ring")
	}
	w := try(t, p, false)
	w.extra = 1
	if failed := w.check(); failed != 0 {
		t.Errorf("%d tasks have failed", failed)
	}
}

// TestHeldExits: news of exits that come late delay what follows from them, and no
// more.
func TestHeldExits(t *testing.T) {
	for name, delay := range map[string]time.Duration{"a little": time.Millisecond, "late": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			var faults pooltest.Faults
			c := config(quietHost(t, &faults, reactor.BackendPidfd))
			p := faults.NewPool(t, c)
			faults.HoldExits(1, delay)
			begin := time.Now()
			if err := end.Submit(t.Context(), p, 3).Err(t.Context()); !errors.Is(err, pool.ErrWorkerDied) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begin); took < delay {
				t.Errorf("the exit was known after %v", took)
			}
			w := try(t, p, false)
			w.extra = 1
			if failed := w.check(); failed != 0 {
				t.Errorf("%d tasks have failed", failed)
			}
		})
	}
}

// TestFlippedBits: one bit of what a worker sends is another than it was.
func TestFlippedBits(t *testing.T) {
	var faults pooltest.Faults
	host := quietHost(t, &faults, reactor.BackendAuto)
	step := 37
	if fewer {
		step = 311
	}
	for bit := 0; bit < 2500; bit += step {
		faults.Heal()
		faults.Flip(1, bit)
		c := config(host)
		c.Faults, c.TaskTimeout = &faults, 300*time.Millisecond
		c.Workers, c.Spares = 1, pool.NoSpares // so that the first worker's handshake decides
		p, err := pool.NewProcessPool(c)
		switch {
		case err == nil:
			try(t, p, true).check()
		case !errors.Is(err, pool.ErrBroken): // it is, if the worker seems to be of another build
			t.Errorf("bit %d: %v", bit, err)
		}
	}
}

// TestGarbler: it inverts the bits that it is to, however the bytes come.
func TestGarbler(t *testing.T) {
	var faults pooltest.Faults
	faults.Flip(0, 0)
	faults.Flip(7, 9, 23)
	reader, writer := io.Pipe()
	go func() {
		for _, b := range []byte{0, 0, 0xff, 1} {
			_, _ = writer.Write([]byte{b})
		}
		_ = writer.Close()
	}()
	got, err := io.ReadAll(faults.Received(7, reader))
	if want := []byte{1, 2, 0x7f, 1}; err != nil || string(got) != string(want) {
		t.Errorf("%x, %v", got, err)
	}
}
