package worker

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Step is a place in a worker's life, at which it can be struck.
type Step string

// The steps, in the order in which a worker comes by.
const (
	StepStart    Step = "start"    // it runs, and has not heard its host
	StepHello    Step = "hello"    // the host's hello has come, and is not answered
	StepReady    Step = "ready"    // the handshake is over
	StepReceived Step = "received" // a task, or a chunk of items, has come
	StepClaim    Step = "claim"    // it is about to begin it
	StepBegun    Step = "begun"    // it has begun it, or an item, and not called its function
	StepReturned Step = "returned" // the function has returned, its result is not written
	StepHalf     Step = "half"     // half of the result is written; not with items, which write many together
	StepWritten  Step = "written"  // the result is written, or noted in the memory shared with the host
	StepLeave    Step = "leave"    // it was asked to leave, and does
)

// Steps are all of them.
var Steps = []Step{StepStart, StepHello, StepReady, StepReceived, StepClaim, StepBegun, StepReturned, StepHalf, StepWritten, StepLeave}

// Blow is what happens to a worker that is struck.
type Blow string

// The blows.
const (
	BlowKill    Blow = "kill"    // SIGKILL
	BlowExit    Blow = "exit"    // it exits with code 1
	BlowCrash   Blow = "crash"   // a panic that nobody recovers
	BlowStop    Blow = "stop"    // SIGSTOP
	BlowHang    Blow = "hang"    // what came to the step stays there; its reader lives on, unless that is it
	BlowSlow    Blow = "slow"    // it stays there for 50 ms
	BlowClose   Blow = "close"   // it closes its channel, and lives on
	BlowGarbage Blow = "garbage" // it writes what is no frame
	BlowForge   Blow = "forge"   // it writes the result of a task that it does not have
	BlowBloat   Blow = "bloat"   // it announces a frame of four gigabytes
)

// Blows are all of them.
var Blows = []Blow{BlowKill, BlowExit, BlowCrash, BlowStop, BlowHang, BlowSlow, BlowClose, BlowGarbage, BlowForge, BlowBloat}

// Strike has a worker struck when it comes to a step for the nth time; 0: the first.
type Strike struct {
	Step Step
	Nth  int
	Blow Blow
}

// strikesKey has a worker's strikes in its environment. It is heeded in workers
// alone, and removed with their mark.
const strikesKey = "STINT_STRIKES"

// StrikesIn returns a worker's environment with what it is to suffer.
func StrikesIn(env []string, strikes []Strike) []string {
	if len(strikes) == 0 {
		return env
	}
	var all []string
	for _, s := range strikes {
		all = append(all, fmt.Sprintf("%s %d %s", s.Step, max(s.Nth, 1), s.Blow))
	}
	return append(env[:len(env):len(env)], strikesKey+"="+strings.Join(all, ","))
}

// fate is what this worker is to suffer; nil: nothing, which costs a comparison at
// each step.
var fate *strikes

type strikes struct {
	mu   sync.Mutex
	left []Strike
}

// foretell makes a worker's fate of what stands in its environment.
func foretell(text string) *strikes {
	if text == "" {
		return nil
	}
	f := &strikes{}
	for one := range strings.SplitSeq(text, ",") {
		if fields := strings.Fields(one); len(fields) == 3 {
			nth, _ := strconv.Atoi(fields[1])
			f.left = append(f.left, Strike{Step(fields[0]), nth, Blow(fields[2])})
		}
	}
	return f
}

// falls reports whether a strike at a step is still to come.
func (f *strikes) falls(at Step) bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.left, func(s Strike) bool { return s.Step == at && s.Nth > 0 })
}

// due returns the blow that falls at a step now; empty: none.
func (f *strikes) due(at Step) (blow Blow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.left {
		s := &f.left[i]
		if s.Step != at {
			continue
		}
		if s.Nth--; s.Nth == 0 {
			blow = s.Blow
		}
	}
	return blow
}

// reach is called wherever a step is reached.
func (s *server) reach(at Step) {
	if fate != nil {
		s.suffer(fate.due(at))
	}
}

// reachOf is reach for a step of a task, which what is initialized is not.
func (s *server) reachOf(ctx *taskContext, at Step) {
	if ctx.id != initialization {
		s.reach(at)
	}
}

// suffer strikes. What is written then goes around the lock of those who write
// frames, as a worker does that is out of its mind.
func (s *server) suffer(blow Blow) {
	self, _ := os.FindProcess(os.Getpid())
	switch blow {
	case BlowKill:
		_ = self.Kill()
		select {}
	case BlowExit:
		os.Exit(1)
	case BlowCrash:
		go panic("struck by a test")
		select {}
	case BlowStop:
		_ = stop(self)
	case BlowHang:
		select {}
	case BlowSlow:
		time.Sleep(50 * time.Millisecond)
	case BlowClose:
		s.channel.close()
		select {}
	case BlowGarbage:
		_, _ = s.channel.Write([]byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"))
	case BlowForge:
		_, _ = s.channel.Write(wire.AppendResultHead(nil, wire.Header{Kind: wire.KindValue, ID: math.MaxUint64}, 1, 0))
	case BlowBloat:
		_, _ = s.channel.Write(wire.AppendHeader(nil, wire.Header{Kind: wire.KindValue, Size: math.MaxUint32}))
	}
}

// writeInHalves is write for a worker that is to suffer.
func (s *server) writeInHalves(pieces ...[]byte) {
	all := bytes.Join(pieces, nil)
	s.writing.Lock()
	defer s.writing.Unlock()
	s.writeLocked(all[:len(all)/2])
	s.reach(StepHalf)
	s.writeLocked(all[len(all)/2:])
}
