package frozentest_test

import (
	"os/exec"
	"testing"

	"github.com/stint-go/stint/reactor/frozentest"
	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// What is held does not end, and what is released does.
func TestHold(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	release := frozentest.Hold(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	select {
	case <-ended:
		t.Error("it has ended")
	default:
	}
	release()
	<-ended
}
