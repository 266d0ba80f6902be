package runtime_test

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

// use asks something of both parts of a host: nil means that it is open. The
// supervisor that it leaves has no worker, and ends with the host.
func use(h *runtime.Host) error {
	v, err := h.Actors().Supervise(actors.Supervision{
		Name: "nobody",
		Prepare: func() (actors.Command, actors.Owner, error) {
			return actors.Command{}, nil, errors.New("not asked for")
		},
	})
	if err == nil {
		v.Stop(actors.Ladder{}, actors.Cause{})
		<-v.Done()
	}
	return err
}

// closed tells whether both parts of a host say that they are closed.
func closed(h *runtime.Host) bool {
	if !errors.Is(use(h), actors.ErrClosed) {
		return false
	}
	_, err := h.Reactor().WatchPID(os.Getppid(), func(reactor.Exit) {})
	return errors.Is(err, reactor.ErrClosed)
}

func TestHost(t *testing.T) {
	leaktest.Check(t)
	h, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if h.Reactor() == nil || h.Actors() == nil || closed(h) {
		t.Fatal("it does not work")
	}
	if err := use(h); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if !closed(h) {
			t.Error("it works although it is closed")
		}
	}
}

// Whoever closes, each call returns when the host is gone.
func TestCloseByMany(t *testing.T) {
	leaktest.Check(t)
	h, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := h.Close(); err != nil || !closed(h) {
				t.Errorf("closed: %t, %v", closed(h), err)
			}
		})
	}
	all.Wait()
}

// Hosts have nothing in common.
func TestManyHosts(t *testing.T) {
	leaktest.Check(t)
	hosts := make([]*runtime.Host, 5)
	for i := range hosts {
		var err error
		if hosts[i], err = runtime.Start(runtime.Config{Backend: reactor.BackendPoll}); err != nil {
			t.Fatal(err)
		}
		if b := hosts[i].Reactor().Stats().Backend; b != reactor.BackendPoll {
			t.Errorf("back end %v", b)
		}
	}
	for i, h := range hosts {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		for j, other := range hosts {
			if closed(other) != (j <= i) {
				t.Errorf("host %d after the end of host %d: closed %t", j, i, closed(other))
			}
		}
	}
}

func TestStartError(t *testing.T) {
	leaktest.Check(t)
	h, err := runtime.Start(runtime.Config{Backend: reactor.Backend(99)})
	var start *runtime.StartError
	if h != nil || !errors.As(err, &start) || start.What != "reactor" || !errors.Is(err, reactor.ErrUnknownBackend) {
		t.Errorf("%v, %v", h, err)
	}
}
