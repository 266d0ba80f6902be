package subprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// start starts a command that has its defaults. Files that were handed to it are
// closed in any case.
func start(ctx context.Context, cmd Cmd) (*Process, error) {
	p := &Process{
		cmd:      cmd,
		host:     cmd.Host,
		begun:    make(chan struct{}),
		exited:   make(chan struct{}),
		finished: make(chan struct{}),
	}
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	select {
	case <-p.begun:
	case <-ctx.Done():
		<-p.begun // soon, as nothing blocks the spawner; then nothing is left
		if p.startErr == nil {
			p.KillTree(0)
			<-p.finished
			_ = p.Release()
			return nil, &StartError{Args: cmd.Args, Err: context.Cause(ctx)}
		}
	}
	if p.startErr != nil {
		return nil, p.explain(p.startErr)
	}
	return p, nil
}

// begin asks for the start.
func (p *Process) begin(ctx context.Context) error {
	program, err := p.program(ctx)
	if err == nil && p.host == nil {
		p.host, err = acquire()
	}
	if err != nil {
		p.closeHanded()
		return p.explain(err)
	}
	err = p.host.Actors().Start((*owner)(p), func() (actors.Command, error) { return p.prepare(program) })
	if err != nil {
		p.closeHanded()
		p.returnHost()
		return p.explain(err)
	}
	return nil
}

// prepare opens the streams. The spawner calls it.
func (p *Process) prepare(program string) (actors.Command, error) {
	wires, err := wire(&p.cmd)
	if err != nil {
		return actors.Command{}, err
	}
	p.wires = wires
	return actors.Command{
		Path:    program,
		Args:    p.cmd.Args,
		Env:     p.cmd.environment(),
		Dir:     p.cmd.Dir,
		Limits:  p.cmd.Limits,
		Session: p.cmd.Session,
		Files:   wires.files,

		Enclosed:   p.cmd.Limits.Memory > 0 || p.cmd.Limits.Processes > 0,
		Privileges: p.cmd.Privileges,
	}, nil
}

// program returns the program's path.
func (p *Process) program(ctx context.Context) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if !supported {
		return "", fmt.Errorf("on this system: %w", errors.ErrUnsupported)
	}
	name := p.cmd.Args[0]
	if filepath.Base(name) != name {
		return name, nil
	}
	return exec.LookPath(name)
}

// explain says what of the system's error is not the whole truth.
func (p *Process) explain(err error) error {
	var start *actors.StartError
	if errors.As(err, &start) {
		err = start.Err
		if errors.Is(err, syscall.EBADF) { // its descriptors are open: one that they are moved to is above RLIMIT_NOFILE
			err = fmt.Errorf("%w: %w", err, syscall.EMFILE)
		}
		if _, there := os.Stat(start.Path); there == nil && errors.Is(err, fs.ErrNotExist) && !p.lacksDir() {
			err = fmt.Errorf("%w: the file is there, and what is to run it, named after its #! or in its ELF header, is not", err)
		}
	}
	return &StartError{Args: p.cmd.Args, Err: err}
}

func (p *Process) lacksDir() bool {
	_, err := os.Stat(p.cmd.Dir)
	return p.cmd.Dir != "" && err != nil
}

func (p *Process) returnHost() {
	if p.cmd.Host == nil {
		giveBack()
	}
}

// owner is a Process, as its actor sees it.
type owner Process

// Started starts the goroutines of the streams. finished waits for them.
func (o *owner) Started(a *actors.Process) {
	p := (*Process)(o)
	p.actor, p.started = a, a.StartedAt()
	p.wires.files = nil // closed
	flows := p.wires.flows()
	p.open = 1 + len(flows)
	for _, f := range flows {
		go func() {
			f.run()
			p.ended()
		}()
	}
	if feed := p.wires.stdin; feed != nil && feed.source != nil {
		p.feed(feed.source)
	}
	if p.cmd.Timeout > 0 {
		cause := actors.Cause{Kind: actors.CauseDeadline}
		p.alarm = p.host.Reactor().NewAlarm(func() { p.kill(p.cmd.Grace, cause) })
		p.alarm.Set(p.started.Add(p.cmd.Timeout))
	}
	close(p.begun)
}

// StartFailed closes what stayed here; the rest is closed already.
func (o *owner) StartFailed(err error) {
	p := (*Process)(o)
	p.startErr = err
	if p.wires != nil {
		p.wires.closeOurs()
	} else {
		p.closeHanded()
	}
	p.returnHost()
	close(p.begun)
}

// Exited tells of the exit at once, and gives the streams their time.
func (o *owner) Exited(r actors.Report) error {
	p := (*Process)(o)
	p.end(r, p.cmd.OutputDelay)
	return nil
}

// Unkillable ends everything but the process: what it holds of the streams is cut.
func (o *owner) Unkillable(err *actors.UnkillableError) {
	p := (*Process)(o)
	p.stuck = &UnkillableError{Args: p.cmd.Args, Err: err}
	p.wires.cutGiven()
	p.end(actors.Report{
		PID:     err.PID,
		Exit:    reactor.Exit{PID: err.PID, Time: time.Now(), Err: err},
		Cause:   err.Cause,
		Started: p.started,
	}, 0)
}

// end tells of the exit and gives the streams the delay.
func (p *Process) end(r actors.Report, delay time.Duration) {
	p.report = r
	if p.alarm != nil {
		p.alarm.Stop()
	}
	close(p.exited)
	p.mu.Lock()
	p.over = true
	if p.open > 1 {
		p.delay = time.AfterFunc(delay, p.cut)
	}
	p.mu.Unlock()
	p.wires.stopFeeding()
	p.ended()
}

// Ask is a rung that no ladder here has.
func (o *owner) Ask(actors.Cause) {}

// Spared: no ladder is called off.
func (o *owner) Spared() {}

// feed starts the goroutine of the standard input, unless the process is over.
func (p *Process) feed(source io.Reader) {
	feed := p.wires.stdin
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		_ = feed.pipe.Close()
		return
	}
	feed.source = source
	p.open++
	p.feeding = true
	go func() {
		feed.run()
		p.fedUp()
	}()
}

// fedUp stops waiting for the feed, once: it has ended, or the command has and
// the Reader does not return.
func (p *Process) fedUp() {
	p.mu.Lock()
	waited := p.feeding
	p.feeding = false
	p.mu.Unlock()
	if waited {
		p.ended()
	}
}

// cut ends the wait for streams that are held open after the exit.
func (p *Process) cut() {
	p.wires.cut()
	p.fedUp()
}

// ended counts what finished waits for.
func (p *Process) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	if p.open > 0 {
		return
	}
	if p.delay != nil {
		p.delay.Stop()
	}
	p.returnHost()
	close(p.finished)
}

// closeHanded closes what a command that was not wired was handed. It may be
// closed already.
func (p *Process) closeHanded() {
	for _, stream := range []any{p.cmd.Stdin, p.cmd.Stdout} {
		if h, ok := stream.(handed); ok {
			closeFile(h.file)
		}
	}
}
