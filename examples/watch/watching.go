package main

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

// withReactor watches children by one reactor.
func withReactor(c *crowd, n int) (stop func() error, err error) {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		return func() error { return nil }, err
	}
	path, err := exec.LookPath("cat")
	if err != nil {
		return r.Close, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return r.Close, err
	}
	defer null.Close()
	attr := &os.ProcAttr{Files: []*os.File{c.stdin, null, os.Stderr}}
	for range n {
		p, err := os.StartProcess(path, []string{"cat"}, attr)
		if err != nil {
			return r.Close, err
		}
		w, err := r.Watch(p, func(reactor.Exit) { c.exits <- time.Now() })
		if err != nil {
			_ = p.Kill()
			_, _ = p.Wait()
			return r.Close, err
		}
		_ = p.Release() // the reactor has a descriptor of its own
		c.kills = append(c.kills, func() error { return w.Signal(syscall.SIGKILL) })
	}
	return r.Close, nil
}

// withExec has a goroutine in [exec.Cmd.Wait] for each child.
func withExec(c *crowd, n int) (stop func() error, err error) {
	var waits sync.WaitGroup
	stop = func() error { waits.Wait(); return nil }
	for range n {
		cmd := exec.Command("cat")
		cmd.Stdin, cmd.Stderr = c.stdin, os.Stderr
		if err := cmd.Start(); err != nil {
			return stop, err
		}
		waits.Go(func() {
			_ = cmd.Wait() // how it ended does not matter
			c.exits <- time.Now()
		})
		c.kills = append(c.kills, cmd.Process.Kill)
	}
	return stop, nil
}
