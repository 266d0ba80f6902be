package subprocess_test

import (
	"context"
	"os"
	"testing"

	"github.com/stint-go/stint/runtime/subprocess"
)

func init() { helpers["crowd"] = theCrowd }

// 300 commands at once, with what they write captured, need no thread each.
func TestThreads(t *testing.T) { help(t, "crowd") }

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
