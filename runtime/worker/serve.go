package worker

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Exit codes of a worker process that ends by itself.
const (
	exitDone     = 0  // asked to leave
	exitOrphaned = 0  // the host is gone: nobody is there to read a code
	exitNoMain   = 96 // the program does not serve
	exitRefused  = 97 // what was inherited, or the handshake, is not right
)

// Inherited reports whether this process was started as a worker.
func Inherited() bool { return inherited }

// Refuse ends a worker process that reached a pool before it served: its host
// is told, and standard error bears the same words. It does not return.
func Refuse() {
	fmt.Fprintf(os.Stderr, "stint: this process was started as a worker, but %v\n", ErrNoMain)
	if socket, _, err := openInherited(); err == nil {
		_, _ = socket.Write(wire.AppendFrame(nil, wire.Header{Kind: wire.KindNoMain}, nil))
	}
	os.Exit(exitNoMain)
}

// Environment returns env with the mark that makes a process a worker.
func Environment(env []string) []string {
	return append(env[:len(env):len(env)], environmentKey+"=1")
}

// Executable names the running binary, for starting another process of it.
func Executable() (string, error) { return executable() }

// Serve is a worker process's whole life: it answers the host's hello, runs
// tasks one after another, and ends the process when the host asks for it or is
// gone. It does not return. The calling goroutine becomes the reader.
func Serve(handler Handler) {
	closeStrays()
	socket, claims, err := openInherited()
	if err != nil {
		refuse("it has no channel: %v (STINT_WORKER is set by a pool for its own workers; unset it)", err)
	}
	// One processor more than the task needs, so that the reader sees the host's
	// death while a task spins.
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	s := &server{socket: socket, claims: claims, handler: handler, tasks: make(chan task, Slots)}
	frames := wire.NewReader(socket, wire.HelloLimit)
	s.handshake(frames)
	go s.run() // ends with the process
	s.read(frames)
}

func refuse(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "stint: this process was started as a worker, but "+format+"\n", args...)
	os.Exit(exitRefused)
}

// server is the worker's end of the channel.
type server struct {
	socket  *os.File
	claims  *claimTable
	handler Handler
	limit   int       // the largest payload that the host takes
	tasks   chan task // never full: the host has no more than Slots out
	out     []byte    // the runner's own

	mu       sync.Mutex
	running  *running // nil between tasks
	quitting bool
}

// handshake answers the host's hello.
func (s *server) handshake(frames *wire.Reader) {
	header, payload, err := frames.Next()
	if err != nil {
		leave() // the host died or gave this worker up
	}
	if header.Kind == wire.KindQuit {
		os.Exit(exitDone) // given up before it was ready
	}
	hello, err := wire.ParseHello(payload)
	if err != nil || header.Kind != wire.KindHello {
		refuse("the host did not say hello: %v", err)
	}
	s.limit = hello.Limit
	frames.SetLimit(hello.Limit)
	answer, err := wire.AppendHello(nil, wire.Hello{Nonce: hello.Nonce, Identity: identity, PID: os.Getpid(), Worker: hello.Worker})
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
		case wire.KindTask:
			parsed, err := wire.ParseTask(payload)
			if err != nil {
				refuse("%v", err)
			}
			parsed.Argument = append([]byte(nil), parsed.Argument...) // the reader's buffer goes on
			s.tasks <- task{Task: parsed, slot: header.Slot, id: header.ID}
		case wire.KindCancel:
			reason, err := wire.ParseReason(payload)
			if err != nil {
				refuse("%v", err)
			}
			s.cancel(header.ID, reason)
		case wire.KindQuit:
			s.quit()
		default:
			refuse("the host sent a %s frame", header.Kind)
		}
	}
}

// quit ends the process, after the running task if there is one.
func (s *server) quit() {
	s.mu.Lock()
	s.quitting = true
	idle := s.running == nil
	s.mu.Unlock()
	if idle {
		os.Exit(exitDone)
	}
}

// write sends whole frames. When the host does not take them it is gone.
func (s *server) write(frames []byte) {
	if _, err := s.socket.Write(frames); err != nil {
		leave()
	}
}
