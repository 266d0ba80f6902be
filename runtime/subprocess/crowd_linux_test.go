package subprocess_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/stint-go/stint/runtime/subprocess"
)

func init() {
	helpers["crowd"] = theCrowd
	helpers["thousand"] = theThousand
}

// 300 commands at once, with what they write captured, need no thread each; nor do 1,000
// that are started, end and are told of at the same time. The threads that a program once
// had it keeps, so they are counted afterwards. There are 6 or 7 of them; on a busy
// machine Go adds one now and then, when a system call of some microseconds was
// interrupted for long: so the least of three programs counts.
func TestThreads(t *testing.T) {
	for _, name := range []string{"crowd", "thousand"} {
		least := math.MaxInt
		for range 3 {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "GOMAXPROCS=2", helperKey+"="+name)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			var threads int
			if _, scanErr := fmt.Sscan(string(out), &threads); err != nil || scanErr != nil {
				t.Fatalf("%s: %v: %s", name, err, out)
			}
			if least = min(least, threads); least <= 8 {
				break
			}
		}
		if least > 8 {
			t.Errorf("%s: %d threads", name, least)
		}
	}
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
	if err != nil {
		fail("%v", err)
	}
	fmt.Println(len(threads))
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
	if err != nil {
		fail("%v", err)
	}
	fmt.Println(len(threads))
}
