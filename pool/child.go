package pool

import (
	"context"
	"io"
	"log/slog"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// ProcessConfig says how Task.Start runs a task. The zero value is a good one. The
// fields that Config has, too, mean the same here.
type ProcessConfig struct {
	Name           string // for Host.Children and logs. Default: the task's
	TaskTimeout    time.Duration
	SilenceTimeout time.Duration
	Grace          time.Duration
	Initializer    *Initializer
	Dir            string
	Env            []string
	Limits         Limits
	Privileges     Privileges
	StartTimeout   time.Duration
	StopTimeout    time.Duration
	MaxPayload     int
	Stdout, Stderr io.Writer
	Logger         *slog.Logger
	Host           *runtime.Host
}

// Process is one task in a process of its own, which ends with it. Its methods are
// safe from any goroutine. Nothing is to be closed: when the task is over nothing
// is left.
type Process[Out any] struct {
	name   string
	pool   *ProcessPool // of one worker, which is not replaced
	worker *member
	future *futures.Future[Out]
	exit   reactor.Exit // written before the pool is done
}

// Start runs the task in a new process of this program, which serves nothing else
// and leaves when the task is over. It returns when that process is ready. Of what the
// process's or the task's end makes of the future see Submit: so the context's end
// cancels the task, too.
//
// The process never outlives this program, whatever becomes of it.
//
// Errors: a *ConfigError, ErrNoMain, a *BrokenError or a *runtime.StartError, as
// NewProcessPool's; the context's cause, if it has ended already.
func (t *Task[In, Out]) Start(ctx context.Context, in In, config ProcessConfig) (*Process[Out], error) {
	if ctx == nil {
		return nil, &ConfigError{Field: "Start", Reason: "the context is nil"}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if config.Name == "" {
		config.Name = t.Name()
	}
	workers, err := NewProcessPool(config.pool())
	if err != nil {
		return nil, err
	}
	p := &Process[Out]{name: config.Name, pool: workers}
	if p.worker = workers.sole(func(e reactor.Exit) { p.exit = e }); p.worker == nil {
		return nil, &BrokenError{Err: ErrWorkerDied}
	}
	p.future = t.Submit(ctx, workers, in)
	workers.wind(Drain)
	return p, nil
}

func (c ProcessConfig) pool() Config {
	return Config{
		Workers: 1, Spares: NoSpares, MaxFailures: 1, name: c.Name,
		TaskTimeout: c.TaskTimeout, SilenceTimeout: c.SilenceTimeout, Grace: c.Grace,
		Dir: c.Dir, Env: c.Env, Limits: c.Limits, Privileges: c.Privileges,
		Initializer: c.Initializer, StartTimeout: c.StartTimeout, StopTimeout: c.StopTimeout,
		MaxPayload: c.MaxPayload, Stdout: c.Stdout, Stderr: c.Stderr, Logger: c.Logger, Host: c.Host,
	}
}

// sole has the pool's only worker not replaced: a task that it has not begun when
// it ends is cancelled. exited is told of the end. It returns nil if the worker
// has ended already.
func (p *ProcessPool) sole(exited func(reactor.Exit)) (sole *member) {
	p.supervisor.Resize(0)
	p.mu.Lock()
	for m := range p.members {
		sole = m
	}
	p.exited = func(e reactor.Exit) {
		exited(e)
		p.wind(Kill)
	}
	p.mu.Unlock()
	if sole == nil {
		p.wind(Kill)
	}
	return sole
}

// Name returns the name of ProcessConfig, or else the task's.
func (p *Process[Out]) Name() string { return p.name }

// PID returns the process id. Once Done is closed another process may have it.
func (p *Process[Out]) PID() int { return p.worker.process.PID() }

// Future returns the future of the task's result.
func (p *Process[Out]) Future() *futures.Future[Out] { return p.future }

// Done returns a channel that is closed when the process has exited, the future is
// settled, and all that the process wrote has been passed on.
func (p *Process[Out]) Done() <-chan struct{} { return p.pool.done }

// Wait waits until Done, and returns how the process ended: with code 0 if it left
// when its task was over, however that went. If ctx ends before, the process goes
// on, and the error is a *ProcessWaitError.
func (p *Process[Out]) Wait(ctx context.Context) (reactor.Exit, error) {
	select {
	case <-p.pool.done: // before an expired context
		return p.exit, nil
	default:
	}
	select {
	case <-p.pool.done:
		return p.exit, nil
	case <-ctx.Done():
		return reactor.Exit{}, &ProcessWaitError{Name: p.name, PID: p.PID(), Err: context.Cause(ctx)}
	}
}

// Terminate sends SIGTERM to the process, which ends it unless the task has asked
// package os/signal for it. Its future fails with a *WorkerError then. After the
// exit the error matches os.ErrProcessDone.
func (p *Process[Out]) Terminate() error { return p.worker.process.Signal(syscall.SIGTERM) }

// Kill ends the process and its process group by SIGKILL. Its future fails with a
// *WorkerError, which matches ErrKilled. To ask the task first, end the context that
// was given to Start. It does nothing after the exit.
func (p *Process[Out]) Kill() {
	p.worker.process.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseKill, Err: ErrKilled})
}
