package worker

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Exit codes of a worker process that ends by itself.
const (
	exitDone     = 0  // asked to leave
	exitOrphaned = 0  // the host is gone: nobody is there to read a code
	exitNoMain   = 96 // the program does not serve
	exitRefused  = 97 // what was inherited, or the handshake, is not right

	// ExitFinalizer is that of a worker whose finalizer failed when it was asked to
	// leave; its standard error says how.
	ExitFinalizer = 98
)

// Inherited reports whether this process was started as a worker.
func Inherited() bool { return depth > 0 }

// Depth is how many hosts there are above this process: 1 in a worker of a program
// that is none, 2 in a worker of that worker; 0: this process is no worker.
func Depth() int { return depth }

// Refuse ends a worker process that reached a pool before it served: its host
// is told, and standard error bears the same words. It does not return.
func Refuse() {
	fmt.Fprintf(os.Stderr, "stint: this process was started as a worker, but %v\n", ErrNoMain)
	if i, err := openInherited(); err == nil {
		_, _ = i.channel.Write(wire.AppendFrame(nil, wire.Header{Kind: wire.KindNoMain}, nil))
	}
	os.Exit(exitNoMain)
}

// Environment returns env with the mark that makes a process a worker of this one.
func Environment(env []string) []string {
	return append(env[:len(env):len(env)], EnvironmentKey+"="+strconv.Itoa(depth+1))
}

// Executable names the running binary, for starting another process of it.
func Executable() (string, error) { return executable() }

// Serve is a worker process's whole life: it answers the host's hello,
// initializes what the host names, runs tasks one after another, and ends the
// process when the host asks for it or is gone. It does not return. The calling
// goroutine becomes the reader.
func Serve(handlers Handlers) {
	i, err := openInherited()
	if err != nil {
		refuse("it has no channel: %v (STINT_WORKER is set by a pool for its own workers; unset it)", err)
	}
	// One processor more than the task needs, so that the reader sees the host's
	// death while a task spins.
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	s := &server{
		channel: i.channel, claims: i.claims, arena: i.arena, handlers: handlers, values: context.Background(),
		tasks: make(chan task, Slots), names: make(map[string]string),
	}
	s.reach(StepStart)
	frames := wire.NewReader(s.channel, wire.HelloLimit)
	s.handshake(frames)
	s.reach(StepReady)
	go s.run() // ends with the process
	s.read(frames)
}

func refuse(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "stint: this process was started as a worker, but "+format+"\n", args...)
	os.Exit(exitRefused)
}

// inherited is what the host hands down.
type inherited struct {
	channel channel
	claims  *claimTable
	arena   *workerArena // nil: there is none
}

// server is the worker's end of the channel.
type server struct {
	channel     channel
	claims      *claimTable
	arena       *workerArena // nil: there is none
	handlers    Handlers
	limit       int               // the largest payload that the host takes
	tasks       chan task         // never full: the host has no more than Slots out; closed by a quit
	names       map[string]string // the reader's own: each task's name once
	out         []byte            // the runner's own
	values      context.Context   // the runner's own: has what was initialized
	initialized bool              // the runner's own
	goroutine   int               // the runner's own: its number
	chunk       *chunk            // the runner's own: what it is at
	ended       time.Time         // the runner's own: when the task before has, if nothing took long since; else zero
	journal     *journalist       // of results
	writing     sync.Mutex        // to the socket
	calls       calls             // of the tasks, that are not answered
	reports     reports           // that are not written yet; by writing
	carried     []byte            // the reader's own: values for the context of the task carriedFor
	carriedFor  uint64

	mu       sync.Mutex
	running  *taskContext  // from before the claim until the result is written
	quitting bool          // no task begins any more
	farewell time.Duration // how long the finalizer may take; set before tasks is closed
}

// handshake answers the host's hello.
func (s *server) handshake(frames *wire.Reader) {
	header, payload, err := frames.Next()
	if err != nil {
		leave() // the host died or gave this worker up
	}
	if header.Kind != wire.KindHello {
		refuse("the host began with a %s frame", header.Kind)
	}
	hello, err := wire.ParseHello(payload)
	if err != nil {
		refuse("%v", err)
	}
	s.reach(StepHello)
	s.limit = hello.Limit
	s.journal = newJournalist(journalIn(s.claims.mapping), s.limit, s.write)
	frames.SetLimit(max(hello.Limit, wire.MaxReply, wire.MaxValues))
	s.calls.init(hello.Limit)
	own := wire.Hello{Nonce: hello.Nonce, Identity: identity, PID: os.Getpid(), Worker: hello.Worker}
	if s.arena != nil {
		own.Arena = len(s.arena.mapping)
	}
	answer, err := wire.AppendHello(nil, own)
	if err != nil {
		refuse("its hello cannot be encoded: %v", err)
	}
	s.write(answer)
}

// read is the reader and the lifeline: when the channel ends the host is gone,
// and so is this process, whatever its task is doing.
func (s *server) read(frames *wire.Reader) {
	for {
		header, payload, err := frames.Next()
		if err != nil {
			leave()
		}
		switch header.Kind {
		case wire.KindTask, wire.KindTaskAt, wire.KindInitialize, wire.KindChunk:
			s.accept(header, payload)
		case wire.KindValues:
			s.carried, s.carriedFor = bytes.Clone(payload), header.ID
		case wire.KindCancel:
			reason, err := wire.ParseReason(payload)
			if err != nil {
				refuse("%v", err)
			}
			s.cancel(header.ID, reason)
		case wire.KindAskStack:
			s.tellStack(header.ID)
		case wire.KindProgress:
			s.calls.report(header.ID, payload)
		case wire.KindReply:
			s.calls.answer(header.ID, payload)
		case wire.KindQuit:
			limit, err := wire.ParseQuit(payload)
			if err != nil {
				refuse("%v", err)
			}
			s.quit(limit)
		default:
			refuse("the host sent a %s frame", header.Kind)
		}
	}
}

// accept queues a task for the runner. The reader's buffer goes on, so an argument
// that is not in the arena is copied.
func (s *server) accept(header wire.Header, payload []byte) {
	t, err := wire.ParseTask(payload)
	items := 0
	if err == nil && header.Kind == wire.KindChunk {
		t.Argument, items, err = wire.ParseChunk(t.Argument)
	}
	argument := Payload{Data: t.Argument}
	if err == nil && header.Kind == wire.KindTaskAt {
		if argument.Region, err = s.arena.argument(t.Argument); err == nil {
			argument.Data = argument.Region.data
		}
	}
	if err == nil && header.Slot >= Slots {
		err = &wire.Error{What: "task", Reason: fmt.Sprintf("slot %d of %d", header.Slot, Slots)}
	}
	if err != nil {
		refuse("%v", err)
	}
	name, known := s.names[string(t.Name)]
	if !known {
		name = string(t.Name)
		s.names[name] = name
	}
	var carried []byte
	if s.carriedFor == header.ID {
		carried = s.carried
	}
	s.carried, s.carriedFor = nil, 0
	if header.Kind != wire.KindInitialize {
		s.reach(StepReceived)
	}
	if argument.Region == nil {
		argument.Data = bytes.Clone(argument.Data)
	}
	if !s.quitting { // else it stays unclaimed, and the host gives it to another
		s.tasks <- task{
			initialize: header.Kind == wire.KindInitialize, items: items,
			slot: header.Slot, id: header.ID, name: name, limit: t.Limit, argument: argument, carried: carried,
		}
	}
}

// quit has the runner leave, after the running task if there is one. Nobody
// needs what is being initialized any more.
func (s *server) quit(limit time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quitting {
		return
	}
	s.quitting, s.farewell = true, limit
	if s.running != nil && s.running.id == initialization {
		s.running.end(context.Canceled)
	}
	close(s.tasks)
}

// tellStack tells where the running task is, if it is this one. The host is about
// to end it.
func (s *server) tellStack(id uint64) {
	if ctx := s.current(id); ctx != nil {
		s.write(wire.AppendStack(nil, id, Stack(ctx.goroutine)))
	}
}

// write sends whole frames, with nothing between the pieces. When the host does
// not take them it is gone.
func (s *server) write(pieces ...[]byte) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.writeLocked(pieces...)
}

// writeLocked is write for who holds s.writing.
func (s *server) writeLocked(pieces ...[]byte) {
	for _, piece := range pieces {
		if _, err := s.channel.Write(piece); err != nil {
			leave()
		}
	}
}
