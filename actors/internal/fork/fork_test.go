//go:build linux && (amd64 || arm64)

package fork

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const patience = time.Minute

// bothClones runs a test with clone3 and without.
func bothClones(t *testing.T, test func(t *testing.T)) {
	t.Run("clone3", func(t *testing.T) {
		test(t)
		if noClone3.Load() {
			t.Skip("this machine refuses clone3: clone was tested instead")
		}
	})
	t.Run("clone", func(t *testing.T) {
		defer noClone3.Store(noClone3.Swap(true))
		test(t)
	})
}

func tell(name string) func(syscall.Errno) error {
	return func(errno syscall.Errno) error { return os.NewSyscallError(name, errno) }
}

// shell makes p execute a script, whose output goes to the file.
func shell(t *testing.T, p *Program, script string, out *os.File) {
	t.Helper()
	p.Do(tell("dup3"), unix.SYS_DUP3, out.Fd(), 1, 0)
	if err := p.Execute(tell("execve"), "/bin/sh", []string{"sh", "-c", script}, os.Environ()); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, p *Program) *Child {
	t.Helper()
	c, err := p.Start(-1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// status reaps the child.
func (c *Child) status(t *testing.T) syscall.WaitStatus {
	t.Helper()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.PID(), &status, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(c.Pidfd()); err != nil {
		t.Error(err)
	}
	return status
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestProgram(t *testing.T) {
	bothClones(t, func(t *testing.T) {
		r, w := pipe(t)
		var p Program
		p.Do(tell("setsid"), unix.SYS_SETSID)
		p.Try(unix.SYS_CLOSE, 12345)
		p.Want(uintptr(os.Getpid()), tell("getppid"), unix.SYS_GETPPID)
		shell(t, &p, "cat /proc/$$/stat; exit 5", w)
		c := start(t, &p)
		if !c.Left(patience) {
			t.Fatal("it is still inside")
		}
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		if s := c.status(t); s.ExitStatus() != 5 {
			t.Errorf("status %#x", s)
		}
		w.Close()
		out, err := io.ReadAll(r)
		var pid, parent, group, session int
		var name, state string
		if n, _ := fmt.Sscan(string(out), &pid, &name, &state, &parent, &group, &session); n != 6 || pid != c.PID() || session != pid {
			t.Errorf("%q, %v, of %d", out, err, c.PID())
		}
	})
}

// The call that fails is told, and the child is gone, with code 127.
func TestFailure(t *testing.T) {
	bothClones(t, func(t *testing.T) {
		for want, program := range map[string]func(p *Program){
			"setuid: invalid argument": func(p *Program) {
				p.Do(tell("setsid"), unix.SYS_SETSID)
				p.Do(tell("setuid"), unix.SYS_SETUID, 1<<32-1)
			},
			"getppid: no such process": func(p *Program) { p.Want(1<<30, tell("getppid"), unix.SYS_GETPPID) },
			"execve: no such file or directory": func(p *Program) {
				if err := p.Execute(tell("execve"), "/no/such/program", []string{"x"}, nil); err != nil {
					t.Fatal(err)
				}
			},
		} {
			var p Program
			program(&p)
			p.Do(tell("setpgid"), unix.SYS_SETPGID, 0, 0)
			c := start(t, &p)
			if !c.Left(patience) {
				t.Fatal("it is still inside")
			}
			if err := c.Err(); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
			if s := c.status(t); s.ExitStatus() != 127 {
				t.Errorf("status %#x", s)
			}
		}
	})
	var p Program
	if err := p.Execute(nil, "/bin/true", []string{"a\x00b"}, nil); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
}

// Who starts a child goes on while it is still on its way, and is told when it has
// left. What it points to lives as long.
func TestChildInside(t *testing.T) {
	bothClones(t, func(t *testing.T) {
		for _, killed := range []bool{false, true} {
			r, w := pipe(t)
			outR, outW := pipe(t)
			var p Program
			p.Do(tell("read"), unix.SYS_READ, r.Fd(), Pointer(&p, new([8]byte)), 1)
			shell(t, &p, "echo out", outW)
			c := start(t, &p)
			for range 3 {
				garbage()
				if c.Left(time.Millisecond) {
					t.Fatal("it has left")
				}
			}
			if killed {
				if err := unix.Kill(c.PID(), unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
			} else if _, err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if !c.Left(patience) || c.Err() != nil {
				t.Errorf("it is still inside, or has failed: %v", c.Err())
			}
			if s := c.status(t); s.Signaled() != killed || !killed && s.ExitStatus() != 0 {
				t.Errorf("status %#x", s)
			}
			outW.Close()
			if out, err := io.ReadAll(outR); !killed && string(out) != "out\n" {
				t.Errorf("%q, %v", out, err)
			}
		}
	})
}

// garbage has the collector free and use again what nobody holds.
func garbage() {
	runtime.GC()
	var all [][]byte
	for range 1000 {
		b := make([]byte, 8+len(all))
		for i := range b {
			b[i] = 0xff
		}
		all = append(all, b)
	}
	runtime.KeepAlive(all)
}

// Many at a time, in a program whose other threads take signals, allocate and grow
// their stacks.
func TestManyAtATime(t *testing.T) {
	bothClones(t, func(t *testing.T) {
		stop := make(chan struct{})
		var busy, starters sync.WaitGroup
		for range 2 {
			busy.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						garbage()
						_ = unix.Kill(os.Getpid(), unix.SIGURG)
					}
				}
			})
		}
		for i := range 4 {
			starters.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for n := range 25 {
					var p Program
					code := i*25 + n
					if err := p.Execute(tell("execve"), "/bin/sh", []string{"sh", "-c", fmt.Sprintf("exit %d", code)}, os.Environ()); err != nil {
						t.Error(err)
						return
					}
					c, err := p.Start(-1)
					if err != nil {
						t.Error(err)
						return
					}
					if !c.Left(patience) || c.Err() != nil {
						t.Error(c.Err())
					}
					if s := c.status(t); s.ExitStatus() != code {
						t.Errorf("status %#x, want code %d", s, code)
					}
				}
			})
		}
		starters.Wait()
		close(stop)
		busy.Wait()
	})
}

// The program takes its signals as what os/exec starts does: nothing is blocked,
// what is ignored stays so, and all else has its default action.
func TestSignals(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)
	signal.Ignore(unix.SIGHUP, unix.SIGUSR2)
	defer signal.Reset(unix.SIGUSR1, unix.SIGHUP, unix.SIGUSR2)

	peer := exec.Command("/bin/sh", "-c", "grep '^Sig[BIC]' /proc/self/status")
	want, err := peer.Output()
	if err != nil {
		t.Fatal(err)
	}
	bothClones(t, func(t *testing.T) {
		r, w := pipe(t)
		var p Program
		shell(t, &p, "grep '^Sig[BIC]' /proc/self/status", w)
		c := start(t, &p)
		c.status(t)
		w.Close()
		if got, err := io.ReadAll(r); string(got) != string(want) || !strings.Contains(string(got), "SigIgn") {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		var mask uint64
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, 0, 0, uintptr(unsafe.Pointer(&mask)), setSize, 0, 0); errno != 0 || mask == everySig {
			t.Errorf("this thread has all signals blocked: %x, %v", mask, errno)
		}
	})
}

func TestNoProcess(t *testing.T) {
	var p Program
	p.Do(tell("getpid"), unix.SYS_GETPID)
	_, err := p.Start(1 << 20) // no such group
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		t.Skip("this machine refuses clone3")
	}
	if !errors.Is(err, unix.EBADF) {
		t.Error(err)
	}
}
