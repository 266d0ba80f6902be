//go:build unix

package actors_test

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// PY-P-6: Close leaves nothing of a hundred processes. That no
// goroutine, descriptor or zombie is left either is leaktest's to see.
func TestCloseEndsAll(t *testing.T) {
	const n = 100
	s := newSystem(t)
	var ready sync.WaitGroup
	ready.Add(n)
	var killed atomic.Int64
	v, err := s.Supervise(actors.Supervision{
		Name: "hundred", Workers: n, DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) { p.Ready(); ready.Done() }
			w.onExited = func(r actors.Report) {
				if r.Exit.Signal == syscall.SIGKILL && r.Cause.Kind == actors.CauseShutdown {
					killed.Add(1)
				}
			}
			return sleeper(), w, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ready.Wait()
	if v.Live() != n {
		t.Errorf("%d live, want %d", v.Live(), n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if killed.Load() != n || v.Live() != 0 {
		t.Errorf("%d of %d killed, %d live", killed.Load(), n, v.Live())
	}
	select {
	case <-v.Done():
	default:
		t.Error("the supervisor is not done")
	}
}

// PY-P-6: a hundred that are terminated all report SIGTERM.
func TestStopTerminatesAll(t *testing.T) {
	const n = 100
	s := newSystem(t)
	workers := make(chan *worker, n)
	v, err := s.Supervise(actors.Supervision{
		Name: "hundred", Workers: n, DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(*actors.Process) { workers <- w }
			return sleeper(), w, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*worker, n)
	for i := range all {
		all[i] = receive(t, workers)
	}
	v.Stop(actors.Ladder{Term: true, Grace: patience}, actors.Cause{Kind: actors.CauseShutdown})
	receive(t, v.Done())
	for _, w := range all {
		diedOf(t, receive(t, w.exited), syscall.SIGTERM, actors.CauseShutdown)
	}
}

func TestCloseWhileStarting(t *testing.T) {
	for range 20 {
		s := newSystem(t)
		var told, prepared atomic.Int64
		_, err := s.Supervise(actors.Supervision{
			Name: "starting", Workers: 20, DrainTimeout: -1,
			Prepare: func() (actors.Command, actors.Owner, error) {
				prepared.Add(1)
				return sleeper(), &last{told: &told}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "a start", func() bool { return prepared.Load() > 0 })
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if told.Load() != prepared.Load() {
			t.Errorf("%d owners, %d were told of the end", prepared.Load(), told.Load())
		}
	}
}

// last is an owner that counts last words.
type last struct {
	worker
	told *atomic.Int64
}

func (l *last) Started(*actors.Process)    {}
func (l *last) Exited(actors.Report) error { l.told.Add(1); return nil }
func (l *last) StartFailed(error)          { l.told.Add(1) }

func TestCloseTwice(t *testing.T) {
	s := newSystem(t)
	single(t, s, newWorker(), sleeper())
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closers.Wait()
	if _, err := s.Supervise(actors.Supervision{Prepare: noStart}); !errors.Is(err, actors.ErrClosed) {
		t.Errorf("supervising after Close: %v", err)
	}
}

func noStart() (actors.Command, actors.Owner, error) {
	return actors.Command{}, nil, errors.New("not to be started")
}

func TestNewSystemWithoutReactor(t *testing.T) {
	var bad *actors.ConfigError
	if s, err := actors.NewSystem(nil, actors.Config{}); s != nil || !errors.As(err, &bad) {
		t.Errorf("%v, %v", s, err)
	}
}

// Supervisors do not disturb one another.
func TestSupervisorsInParallel(t *testing.T) {
	s := newSystem(t)
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 5 {
				w := newWorker()
				v := single(t, s, w, sleeper())
				p := <-w.started
				p.Ready()
				p.Kill(actors.Ladder{}, deadline)
				<-w.exited
				v.Stop(actors.Ladder{}, actors.Cause{})
				<-v.Done()
			}
		})
	}
	users.Wait()
}

// A panic and a Goexit in a callback end the program loudly, with the stack.
func TestCrash(t *testing.T) {
	for name, want := range map[string]string{
		"panic":             "in an actor: the owner's bug",
		"goexit":            "in an actor: runtime.Goexit was called",
		"panic in Prepare":  "in Prepare: the owner's bug",
		"goexit in Prepare": "in Prepare: runtime.Goexit was called",
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.Command(os.Args[0])
			command.Env = append(helperEnv("crash"), "STINT_ACTORS_TEST_CRASH="+name)
			out, err := command.CombinedOutput()
			if err == nil || command.ProcessState.ExitCode() != 2 {
				t.Errorf("the program ended with %v", err)
			}
			for _, part := range []string{want, "actors_test.crash"} {
				if !strings.Contains(string(out), part) {
					t.Errorf("its output lacks %q:\n%s", part, out)
				}
			}
		})
	}
}

func init() { helpers["crash"] = crash }

func crash() {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		panic(err)
	}
	s, err := actors.NewSystem(r, actors.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	kind, inPrepare := strings.CutSuffix(os.Getenv("STINT_ACTORS_TEST_CRASH"), " in Prepare")
	end := func() {
		if kind == "goexit" {
			runtime.Goexit()
		}
		panic("the owner's bug")
	}
	_, err = s.Supervise(actors.Supervision{
		Name: "crash", Workers: 1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			if inPrepare {
				end()
			}
			w := newWorker()
			w.onStarted = func(*actors.Process) { end() }
			return sleeper(), w, nil
		},
	})
	if err != nil {
		panic(err)
	}
	select {}
}
