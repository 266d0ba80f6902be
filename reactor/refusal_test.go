package reactor_test

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stint-go/stint/reactor"
)

func TestRefusals(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		deliver := func(e reactor.Exit) { t.Errorf("delivered: %v", e) }
		refuse := func(what string, w *reactor.Watch, err, want error) {
			t.Helper()
			var we *reactor.WatchError
			if w != nil || !errors.Is(err, want) || !errors.As(err, &we) {
				t.Errorf("%s: %v, %v; want %v", what, w, err, want)
			}
		}
		for _, pid := range []int{-1, 0, 1, os.Getpid()} {
			w, err := r.WatchPID(pid, deliver)
			refuse("pid "+strconv.Itoa(pid), w, err, reactor.ErrInvalidPID)
		}
		w, err := r.Watch(nil, deliver)
		refuse("nil process", w, err, reactor.ErrInvalidPID)

		cmd := helper("exit", "0")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		w, err = r.Watch(cmd.Process, deliver)
		refuse("a process that was waited for", w, err, os.ErrProcessDone)
		w, err = r.WatchPID(cmd.ProcessState.Pid(), deliver)
		refuse("the pid of no process", w, err, os.ErrProcessDone)

		p := start(t, helper("exit", "0"))
		w, err = r.Watch(p, nil)
		refuse("nil deliver", w, err, reactor.ErrNilDeliver)
		if _, err := p.Wait(); err != nil {
			t.Errorf("after the refusal the caller cannot wait: %v", err)
		}
		if s := r.Stats(); s.Watches != 0 {
			t.Errorf("after the refusals: %+v", s)
		}
	})
}

func TestBackendChoice(t *testing.T) {
	t.Run("environment", func(t *testing.T) {
		t.Setenv("STINT_REACTOR", "poll")
		if got := open(t, reactor.BackendAuto).Stats().Backend; got != reactor.BackendPoll {
			t.Errorf("STINT_REACTOR=poll: %v", got)
		}
		if got := open(t, reactor.BackendWaiter).Stats().Backend; got != reactor.BackendWaiter {
			t.Errorf("the option does not decide before STINT_REACTOR: %v", got)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		t.Setenv("STINT_REACTOR", "kqeue")
		_, err := reactor.New(reactor.Config{})
		var be *reactor.BackendError
		if !errors.Is(err, reactor.ErrUnknownBackend) || !errors.As(err, &be) || be.Name != "kqeue" || be.From != "STINT_REACTOR" {
			t.Errorf("STINT_REACTOR=kqeue: %v", err)
		}
	})
	t.Run("unknown number", func(t *testing.T) {
		if _, err := reactor.New(reactor.Config{Backend: 77}); !errors.Is(err, reactor.ErrUnknownBackend) {
			t.Errorf("Backend 77: %v", err)
		}
	})
	if runtime.GOOS != "linux" {
		if _, err := reactor.New(reactor.Config{Backend: reactor.BackendPidfd}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("pidfd on %s: %v", runtime.GOOS, err)
		}
	}
}
