package pool

import (
	"errors"
	"os"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/worker"
)

// startTimeout is when a worker that is not ready is killed. An initializer is
// asked before.
func (p *ProcessPool) startTimeout() time.Duration {
	if p.initialize == nil {
		return p.config.StartTimeout
	}
	return sum(p.config.StartTimeout, p.config.grace())
}

// prepare makes a worker: its number, its channel, and the command to start it.
// The spawner calls it.
func (p *ProcessPool) prepare() (actors.Command, actors.Owner, error) {
	path, err := worker.Executable()
	if err != nil {
		return actors.Command{}, nil, err
	}
	m := &member{pool: p, number: int(p.started.Add(1))}
	link, files, err := worker.Open(worker.LinkConfig{
		Worker:     m.number,
		Limit:      p.config.MaxPayload + payloadRoom,
		Arena:      max(0, p.config.SharedMemory),
		Stdout:     newStream(m, p.output.stdout, false),
		Stderr:     newStream(m, p.output.stderr, true),
		Initialize: p.initialize,
		Receiver:   m,
		Faults:     p.config.Faults,
	})
	if err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			err = actors.Permanent(err)
		}
		return actors.Command{}, nil, err
	}
	m.open(link)
	return actors.Command{
		Path:  path,
		Args:  []string{os.Args[0], "stint-worker"},
		Env:   p.config.environment(m.number),
		Dir:   p.config.Dir,
		Nice:  p.config.Nice,
		CPUs:  p.config.CPUs,
		Files: files,

		Limits:     p.config.Limits,
		Privileges: p.config.Privileges,
		Enclosed:   true,
	}, m, nil
}
