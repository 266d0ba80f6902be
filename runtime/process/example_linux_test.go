package process_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/stint-go/stint/runtime/process"
)

func ExampleWaitMany() {
	var ps []process.Process
	for _, seconds := range []string{"0.01", "1000"} {
		cmd := exec.Command("sleep", seconds)
		if err := cmd.Start(); err != nil {
			log.Fatal(err)
		}
		defer cmd.Wait() // whoever starts a process reaps it
		defer cmd.Process.Kill()
		p, err := process.Find(cmd.Process.Pid)
		if err != nil {
			log.Fatal(err)
		}
		ps = append(ps, p)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, alive, err := process.WaitMany(ctx, ps, func(g process.Gone) {
		fmt.Println(g.Exit)
		cancel() // one is enough
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(alive), "lives")
	// Output:
	// exited with code 0
	// 1 lives
}

func ExampleProcess_Info() {
	self, err := process.Self()
	if err != nil {
		log.Fatal(err)
	}
	info, err := self.Info()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Parent == os.Getppid(), info.RSS > 1<<20, len(info.Args) == len(os.Args))
	// Output: true true true
}

func ExampleProcess_KillTree() {
	cmd := exec.Command("sh", "-c", "setsid sleep 1000 & sleep 1000 & wait")
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	defer cmd.Wait()
	p, err := process.Find(cmd.Process.Pid)
	if err != nil {
		log.Fatal(err)
	}
	for { // until it has started both
		if below, err := p.Descendants(); err != nil || len(below) == 2 {
			break
		}
	}
	gone, err := p.KillTree(context.Background())
	fmt.Println(len(gone), "killed,", err)
	// Output: 3 killed, <nil>
}

func ExampleAvailableCPUs() {
	cpus, err := process.AvailableCPUs()
	if err != nil {
		log.Fatal(err)
	}
	workers := max(1, int(cpus)) // whole ones, so that tasks that compute do not share
	fmt.Println(workers >= 1)
	// Output:
	// true
}
