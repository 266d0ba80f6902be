package subprocess_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/runtime/subprocess"
)

func init() {
	helpers["crowd"] = theCrowd
	helpers["thousand"] = theThousand
}

// 300 commands at once, with what they write captured, need no thread each; nor do 1,000
// that are started, end and are told of at the same time. The threads that a program once
// had it keeps, so they are counted afterwards.
func TestThreads(t *testing.T) {
	help(t, "crowd", "GOMAXPROCS=2")
	help(t, "thousand", "GOMAXPROCS=2")
}

func theThousand() {
	run := func() error {
		r, err := subprocess.Run(context.Background(), subprocess.Command("echo", "x"))
		if err == nil && string(r.Stdout) != "x\n" {
			err = fmt.Errorf("%q", r.Stdout)
		}
		return err
	}
	if err := crowd(1000, run); err != nil {
		fail("%v", err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) > 8 {
		fail("%d threads, %v", len(threads), err)
	}
}

func theCrowd() {
	const n = 300
	processes := make([]*subprocess.Process, n)
	for i := range processes {
		p, err := subprocess.Start(context.Background(), subprocess.Command("sleep", "1000"))
		if err != nil {
			fail("%v", err)
		}
		processes[i] = p
	}
	threads, err := os.ReadDir("/proc/self/task")
	for _, p := range processes {
		p.KillTree(0)
	}
	for _, p := range processes {
		<-p.Done()
	}
	if err != nil || len(threads) > 8 {
		fail("%d threads, %v", len(threads), err)
	}
}
