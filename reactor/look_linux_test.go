package reactor_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

// deaf has all news of exits lost.
type deaf chan int

func (deaf) Call(string) error { return nil }

func (d deaf) Exit(pid int) time.Duration {
	select {
	case d <- pid:
	default:
	}
	return -1
}

// An exit of which the system's word was lost is delivered after a Look.
func TestLook(t *testing.T) {
	lost := make(deaf, 1)
	r, err := reactor.New(reactor.Config{Backend: reactor.BackendPidfd, Faults: lost})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	exits := make(chan reactor.Exit, 2)
	p := start(t, exec.Command("sleep", "1000"))
	w, err := r.Watch(p, func(e reactor.Exit) { exits <- e })
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Release()
	if err := w.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lost:
	case <-time.After(patience):
		t.Fatal("the system did not tell")
	}
	if e, over := w.Exited(); over {
		t.Errorf("%v was heard of, though it was lost", e)
	}
	w.Look()
	select {
	case e := <-exits:
		if e.Signal != syscall.SIGKILL {
			t.Errorf("got %v", e)
		}
	case <-time.After(patience):
		t.Fatal("a Look has found nothing")
	}
	w.Look() // of what is over: nothing
}
