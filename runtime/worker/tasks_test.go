package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// handlers are those of this binary's workers.
var handlers = worker.Handlers{Task: handle, Items: handleItems, Initialize: initialize, Finalize: finalize}

// handle runs the tasks.
func handle(ctx context.Context, task string, argument worker.Payload) (worker.Payload, *worker.Failure) {
	if run, ok := sharingTasks[task]; ok {
		return run(ctx, argument)
	}
	value, failure := handlePlain(ctx, task, argument.Data)
	return worker.Payload{Data: value}, failure
}

func handlePlain(ctx context.Context, task string, argument []byte) ([]byte, *worker.Failure) {
	run, ok := tasks[task]
	if !ok {
		return nil, &worker.Failure{Kind: worker.FailureUnknown, Message: task}
	}
	value, err := run(ctx, argument)
	if err != nil {
		return nil, &worker.Failure{Kind: worker.FailureError, Message: err.Error()}
	}
	return value, nil
}

// handleItems is handle for the items of chunks.
func handleItems(task string) worker.ItemHandler {
	return func(ctx context.Context, argument, dst []byte) ([]byte, *worker.Failure) {
		value, failure := handlePlain(ctx, task, argument)
		return append(dst, value...), failure
	}
}

// sharingTasks know of the arena.
var sharingTasks = map[string]func(context.Context, worker.Payload) (worker.Payload, *worker.Failure){
	"build": build,
	// shared tells whether its argument is in the arena.
	"shared": func(_ context.Context, argument worker.Payload) (worker.Payload, *worker.Failure) {
		return worker.Payload{Data: strconv.AppendBool(nil, argument.Region != nil)}, nil
	},
	// return returns its argument itself.
	"return": func(_ context.Context, argument worker.Payload) (worker.Payload, *worker.Failure) {
		argument.Region.Give()
		return argument, nil
	},
	// waste takes memory for a result and has none.
	"waste": func(ctx context.Context, argument worker.Payload) (worker.Payload, *worker.Failure) {
		if worker.Allocate(ctx, worker.LargePayload) == nil {
			return worker.Payload{}, &worker.Failure{Kind: worker.FailureError, Message: "no room"}
		}
		if string(argument.Data) == "panic" {
			panic("on purpose")
		}
		return worker.Payload{}, &worker.Failure{Kind: worker.FailureError, Message: "wasted"}
	},
}

// build builds its argument, so often that it fills the size, in shared memory.
func build(ctx context.Context, argument worker.Payload) (worker.Payload, *worker.Failure) {
	r := worker.Allocate(ctx, worker.LargePayload)
	if r == nil {
		return worker.Payload{}, &worker.Failure{Kind: worker.FailureError, Message: "no room"}
	}
	p := worker.Payload{Region: r}
	_ = r.Use(func(data []byte) error {
		for i := range data {
			data[i] = argument.Data[i%len(argument.Data)]
		}
		p.Data = data
		return nil
	})
	r.Give()
	return p, nil
}

var tasks = map[string]func(ctx context.Context, argument []byte) ([]byte, error){
	"echo":         func(_ context.Context, argument []byte) ([]byte, error) { return argument, nil },
	"fail":         func(_ context.Context, argument []byte) ([]byte, error) { return nil, errors.New(string(argument)) },
	"panic":        func(_ context.Context, argument []byte) ([]byte, error) { panic(string(argument)) },
	"dig":          dig,
	"panic of nil": func(context.Context, []byte) ([]byte, error) { panic(nil) },
	"goexit":       func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil },
	"exit":         exit,
	"zeros":        zeros,
	"ended":        ended,
	"wait":         wait,
	"stop":         wait, // by SIGKILL
	"stderr":       func(_ context.Context, argument []byte) ([]byte, error) { os.Stderr.Write(argument); return nil, nil },
	"stdout":       func(_ context.Context, argument []byte) ([]byte, error) { os.Stdout.Write(argument); return nil, nil },
	"shell":        shell,
	"context":      describeContext,
	"made":         made,
}

// initializedKey is where initialize leaves its argument.
type initializedKey struct{}

// initialize is the initializer of this binary's workers, which does what its
// name says.
func initialize(ctx context.Context, name string, argument []byte) (context.Context, *worker.Failure) {
	switch name {
	case "panic":
		panic(string(argument))
	case "goexit":
		runtime.Goexit()
	case "wait":
		<-ctx.Done()
		return nil, &worker.Failure{Kind: worker.FailureError, Message: ctx.Err().Error()}
	case "exit":
		os.Exit(3)
	}
	return context.WithValue(context.Background(), initializedKey{}, string(argument)), nil
}

// finalize does what the initializer was told.
func finalize(ctx context.Context) error {
	switch argument := ctx.Value(initializedKey{}); argument {
	case "panic":
		panic("at the end")
	case "goexit":
		runtime.Goexit()
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	default:
		fmt.Fprintf(os.Stderr, "finalized %v", argument)
	}
	return nil
}

// made returns what initialize has made.
func made(ctx context.Context, _ []byte) ([]byte, error) {
	s, _ := ctx.Value(initializedKey{}).(string)
	return []byte(s), nil
}

var errDug = errors.New("dug deep enough")

// dig panics with an error, from a depth that is given.
func dig(ctx context.Context, argument []byte) ([]byte, error) {
	if depth, _ := strconv.Atoi(string(argument)); depth > 0 {
		return dig(ctx, []byte(strconv.Itoa(depth-1)))
	}
	panic(errDug)
}

func exit(_ context.Context, argument []byte) ([]byte, error) {
	code, err := strconv.Atoi(string(argument))
	if err == nil {
		os.Exit(code)
	}
	return nil, err
}

func zeros(_ context.Context, argument []byte) ([]byte, error) {
	n, err := strconv.Atoi(string(argument))
	return make([]byte, n), err
}

// wait returns when its context ends, and tells why it ended.
func wait(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return []byte(ctx.Err().Error()), nil
}

// previous is the context of the last task that asked "ended".
var previous context.Context

// ended tells what has become of the context of the task that asked before.
func ended(ctx context.Context, _ []byte) ([]byte, error) {
	last := previous
	previous = ctx
	if last == nil {
		return []byte("none"), nil
	}
	<-last.Done()
	return []byte(last.Err().Error()), nil
}

// shell runs a script and returns what it writes.
func shell(ctx context.Context, argument []byte) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "/bin/sh", "-c", string(argument)).CombinedOutput()
	return bytes.TrimSpace(out), err
}

// describeContext tells how much time the context leaves, and what it says of
// itself and of a child.
func describeContext(ctx context.Context, _ []byte) ([]byte, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return []byte("no deadline"), nil
	}
	left := time.Until(deadline)
	if ctx.Err() != nil {
		return nil, errors.New("it ended before its deadline")
	}
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	<-child.Done()
	at := time.Now()
	if child.Err() != context.DeadlineExceeded || ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != context.DeadlineExceeded {
		return nil, errors.New(strings.Join([]string{child.Err().Error(), ctx.Err().Error(), context.Cause(ctx).Error()}, ", "))
	}
	if at.Before(deadline) {
		return nil, errors.New("it ended before its deadline")
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(left)), nil
}
