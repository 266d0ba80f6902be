package subprocess

import (
	"bytes"
	"context"
	"errors"

	"github.com/stint-go/stint/actors"
)

// Run runs a command to its end. When the context ends before, the command is killed
// as at its Timeout.
//
// The Result holds all that is known, also beside an error, which is the first of:
// [*ConfigError] and [*StartError], and nothing ran; [*TimeoutError];
// [*CanceledError]; [*UnkillableError]; [*MemoryError]; [*ExitError], with Check;
// [*StrayError] and [*StreamError], joined if there are both. A command that ended by
// itself before it was told to has neither timed out nor been canceled.
func Run(ctx context.Context, cmd Cmd) (Result, error) {
	if name := pipeOf(cmd); name != "" {
		return Result{Args: cmd.Args}, &ConfigError{name, "Run has nobody to use a Pipe: Start the command"}
	}
	p, err := Start(ctx, cmd)
	if err != nil {
		return Result{Args: cmd.Args}, err
	}
	stop := context.AfterFunc(ctx, func() { p.cancel(ctx) })
	defer stop()
	<-p.finished
	return p.result(), p.verdict()
}

func pipeOf(cmd Cmd) string {
	switch {
	case cmd.Stdin == Input(Pipe):
		return "Stdin"
	case cmd.Stdout == Output(Pipe):
		return "Stdout"
	case cmd.Stderr == Output(Pipe):
		return "Stderr"
	}
	return ""
}

// Communicate gives the command its standard input, if that is a [Pipe], waits
// until the process has exited and its outputs have been read, and returns what
// Run does. An input of nil is none; the first call, if it has none either, closes
// the pipe.
//
// When the context ends before, the error is a [*WaitError] beside the output
// until then. The process goes on, and so do its streams: a later call, with an
// input of nil, returns everything from the beginning.
func (p *Process) Communicate(ctx context.Context, input []byte) (Result, error) {
	if p.released.Load() {
		return Result{}, ErrReleased
	}
	if err := p.give(input); err != nil {
		return p.result(), err
	}
	if err := p.await(ctx, p.finished); err != nil {
		return p.result(), err
	}
	return p.result(), p.verdict()
}

// give feeds the input, or closes the pipe, once.
func (p *Process) give(input []byte) error {
	p.mu.Lock()
	first := p.wires.given[0] != nil && !p.fed
	p.fed = true
	p.mu.Unlock()
	switch {
	case !first && input != nil:
		return ErrInput
	case !first:
		return nil
	case input == nil:
		_ = p.wires.given[0].Close() // the caller may have done it
		return nil
	}
	p.feed(bytes.NewReader(input))
	return nil
}

// cancellation is the Err of a Cause that is a context's end.
type cancellation struct {
	error       // the context's cause
	own   error // the context's own error
}

func (p *Process) cancel(ctx context.Context) {
	why := cancellation{error: context.Cause(ctx), own: ctx.Err()}
	p.kill(p.cmd.Grace, actors.Cause{Kind: actors.CauseKill, Err: why})
}

// result returns what is known by now.
func (p *Process) result() Result {
	r := Result{
		Args:    p.cmd.Args,
		PID:     p.PID(),
		Started: p.started,
		Stdout:  p.wires.stdout.captured(),
		Stderr:  p.wires.stderr.captured(),
	}
	r.Exit, _ = p.Poll()
	select {
	case <-p.finished:
		r.Strays = p.overlooked()
		r.Complete = true
		for _, f := range p.wires.flows() {
			r.Complete = r.Complete && f.fault(r.Args) == nil
		}
	default:
	}
	return r
}

// verdict returns the error of a process that has finished.
func (p *Process) verdict() error {
	cause := p.report.Cause
	var canceled cancellation
	switch {
	case cause.Kind == actors.CauseDeadline:
		return &TimeoutError{Limit: p.cmd.Timeout, Result: p.result()}
	case errors.As(cause.Err, &canceled):
		return &CanceledError{Result: p.result(), Err: canceled.error, err: canceled.own}
	case cause.Kind == actors.CauseShutdown:
		return &CanceledError{Result: p.result(), Err: actors.ErrClosed}
	case p.stuck != nil:
		return p.stuck
	}
	if over, is := errors.AsType[*actors.MemoryError](cause.Err); is {
		return &MemoryError{Result: p.result(), Err: over}
	}
	return p.fault()
}

// fault returns the error of a process that ended by itself.
func (p *Process) fault() error {
	exit := p.report.Exit
	if p.cmd.Check && !exit.Success() {
		err := &ExitError{Args: p.cmd.Args, PID: p.PID(), Exit: exit, Stderr: p.wires.stderr.tail()}
		if p.report.Cause.Kind == actors.CauseNone {
			err.Err = p.report.Cause.Err
		}
		return err
	}
	var faults []error
	if strays := p.overlooked(); strays != nil {
		faults = append(faults, strays)
	}
	if err := p.wires.fault(p.cmd.Args); err != nil {
		faults = append(faults, err)
	}
	if len(faults) == 1 {
		return faults[0]
	}
	return errors.Join(faults...)
}
