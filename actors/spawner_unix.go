//go:build unix

package actors

import (
	"os"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

// watchOptions: what is left of the group is killed when its leader has exited.
func watchOptions() []reactor.Option { return []reactor.Option{reactor.WithStartGroup()} }

// killStarted kills a process that was started a moment ago, also if it has left its
// group since, and what is in that group. The caller has not reaped it, so the group's
// id is its own; nor has he released it, which would leave the pid -1, to kill(2)
// every process.
func killStarted(p *os.Process) {
	if p.Pid > 1 {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
	_ = p.Kill()
}
