package actors

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	protoactor "github.com/asynkron/protoactor-go/actor"
)

// This file is all that the package, and the module, knows of protoactor: a
// mailbox with one reader at a time, parents and children. Futures, timeouts,
// bounded mailboxes and restarts of that library are not used.

// actor is a state machine that is told one thing at a time. M is the sealed
// interface of what it can be told.
type actor[M any] interface {
	// receive handles one message.
	receive(c cell, m M)
	// childEnded says that the child spawned with this id has handled its last
	// message. It comes in its turn, after what the actor was sent before.
	childEnded(c cell, id string)
	// ended is the last call of all.
	ended()
}

// cell is the place of an actor in the system, valid during one call of it.
type cell struct{ ctx protoactor.Context }

// stop makes the message that is being handled the actor's last.
func (c cell) stop() { c.ctx.Stop(c.ctx.Self()) }

// address is where an actor's messages go.
type address[M any] struct {
	root *protoactor.RootContext
	pid  *protoactor.PID
}

// id names the actor in its parent's childEnded.
func (a address[M]) id() string { return a.pid.Id }

// send puts m into the mailbox. It never blocks; what an actor that has ended is
// sent is dropped.
func (a address[M]) send(m M) { a.root.Send(a.pid, letter[M]{m}) }

// letter carries a message, so that what is the library's and what is ours can
// be told apart, and so that one which comes too late is dropped in silence.
type letter[M any] struct{ content M }

func (letter[M]) IgnoreDeadLetterLogging() {}

// childEnded is the library's Terminated, put at the end of the mailbox.
type childEnded struct{ id string }

// engine is the actor system with the goroutines that actors run on.
type engine struct {
	system     *protoactor.ActorSystem
	goroutines *goroutines
}

func newEngine(logger *slog.Logger) *engine {
	quiet := slog.New(warnings{logger.Handler()})
	return &engine{
		goroutines: newGoroutines(),
		system: protoactor.NewActorSystem(
			protoactor.WithLoggerFactory(func(*protoactor.ActorSystem) *slog.Logger { return quiet }),
			// The throttle keeps a goroutine for this long after a dead letter.
			protoactor.WithDeadLetterThrottleInterval(time.Millisecond),
		),
	}
}

// close waits until no actor runs. All must have ended or be about to.
func (e *engine) close() {
	e.goroutines.close()
	e.system.Shutdown() // of the library; it stops no actor, and panics when called twice
}

// spawn starts an actor that has no parent.
func spawn[M any](e *engine, a actor[M]) address[M] {
	root := e.system.Root
	return address[M]{root: root, pid: root.Spawn(props(a, e.goroutines))}
}

// spawnChild starts an actor whose parent is told when it has ended.
func spawnChild[M any](c cell, e *engine, a actor[M]) address[M] {
	return address[M]{root: e.system.Root, pid: c.ctx.Spawn(props(a, e.goroutines))}
}

func props[M any](a actor[M], g *goroutines) *protoactor.Props {
	return protoactor.PropsFromFunc(
		func(ctx protoactor.Context) { orCrash("an actor", func() { dispatch(ctx, a) }) },
		protoactor.WithMailbox(protoactor.Unbounded()),
		protoactor.WithDispatcher(g),
	)
}

func dispatch[M any](ctx protoactor.Context, a actor[M]) {
	switch m := ctx.Message().(type) {
	case letter[M]:
		a.receive(cell{ctx}, m.content)
	case *protoactor.Terminated: // has overtaken what waits
		ctx.Send(ctx.Self(), childEnded{m.Who.Id})
	case childEnded:
		a.childEnded(cell{ctx}, m.id)
	case *protoactor.Stopped:
		a.ended()
	}
}

// orCrash ends the program if f panics or calls runtime.Goexit. The library
// would recover the panic and go on with an actor that has lost its state, and
// after a Goexit with one that never runs again.
func orCrash(where string, f func()) {
	returned := false
	defer func() {
		if !returned {
			crash(where, recover(), debug.Stack())
		}
	}()
	f()
	returned = true
}

// crash panics where nobody can recover it, and does not return.
func crash(where string, reason any, stack []byte) {
	if reason == nil {
		reason = "runtime.Goexit was called"
	}
	go panic(fmt.Sprintf("actors: in %s: %v\n\n%s", where, reason, stack))
	select {}
}

// goroutines runs mailboxes, each on a goroutine for as long as it has messages.
type goroutines struct {
	mu      sync.Mutex
	idle    *sync.Cond
	running int
	closed  bool
}

func newGoroutines() *goroutines {
	g := &goroutines{}
	g.idle = sync.NewCond(&g.mu)
	return g
}

// Schedule runs one mailbox until it is empty. After close nothing can be in a
// mailbox but letters to actors that have ended, and it does nothing.
func (g *goroutines) Schedule(run func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.running++
	go func() {
		defer g.finished()
		run()
	}()
}

// Throughput is how many messages a mailbox handles before it lets others run.
func (g *goroutines) Throughput() int { return 300 }

func (g *goroutines) finished() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.idle.Broadcast()
}

func (g *goroutines) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.running > 0 {
		g.idle.Wait()
	}
	g.closed = true
}

// warnings passes what is at least a warning: the library tells of each system
// that starts and of each letter that came too late.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler {
	return warnings{h.Handler.WithGroup(name)}
}
