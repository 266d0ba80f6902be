//go:build unix

package main

import (
	"bytes"
	"context"
	"os/exec"
	"sync"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

// commandsAtOnce is how many commands run at a time.
const commandsAtOnce = 32

// commands runs `true` n times, its output captured.
func commands(n int, run func(context.Context) error) func(context.Context) (figures, error) {
	return func(ctx context.Context) (figures, error) {
		todo := make(chan struct{}, n)
		for range n {
			todo <- struct{}{}
		}
		close(todo)
		begin := time.Now()
		var all sync.WaitGroup
		var once sync.Once
		var failed error
		for range commandsAtOnce {
			all.Go(func() {
				for range todo {
					if err := run(ctx); err != nil {
						once.Do(func() { failed = err })
						return
					}
				}
			})
		}
		all.Wait()
		return figures{"commands/s": rate(n, begin)}, failed
	}
}

func ourCommand(ctx context.Context) error {
	_, err := subprocess.Run(ctx, subprocess.Command("true"))
	return err
}

func execCommand(ctx context.Context) error {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "true")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd.Run()
}
