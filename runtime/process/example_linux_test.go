package process_test

import (
	"context"
	"fmt"
	"log"
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
