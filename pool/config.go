package pool

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	goruntime "runtime"
	"time"

	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/worker"
)

// NoGrace, as Config.Grace, kills a worker at its task's deadline, unasked.
const NoGrace time.Duration = -1

// NoSpares, as Config.Spares, keeps no worker in reserve.
const NoSpares = -1

// NoSharedMemory, as Config.SharedMemory, has payloads of any size go by the socket.
const NoSharedMemory = -1

// FullPolicy says what Submit does when the queue is full.
type FullPolicy uint8

// The policies.
const (
	Block  FullPolicy = iota // wait for room, as long as the caller's context allows
	Refuse                   // fail the task with ErrQueueFull
)

// Config says how a pool is made. The zero value is a good one: each field names
// its default.
type Config struct {
	// Workers is how many tasks run at a time. Default: GOMAXPROCS, which honours
	// the CPU quota of a container.
	Workers int
	// MinWorkers is how many of these are kept when there is little to do. A pool
	// starts with as many, and at least one; further ones are started as soon as
	// tasks wait, and end when they had nothing to do for Recycle.Idle. Default:
	// Workers, so that there are always as many; NoMinimum: none. Process pools only.
	MinWorkers int
	// NestedWorkers is how many workers may work beyond Workers while tasks wait
	// for tasks that they have submitted to this pool themselves; see From. With as
	// many tasks waiting as there may be workers, a further one that would wait is
	// refused a nested task, with a *NestingError. Default: 64 in a process pool,
	// 10,000 in a goroutine pool. They start when they are needed.
	NestedWorkers int
	// TaskTimeout is how long a task may run, from the moment in which it begins;
	// WithTimeout overrides it per call. Default 0: for ever.
	TaskTimeout time.Duration
	// QueueTimeout is how long an accepted task may wait until a worker begins it;
	// WithQueueTimeout overrides it per call. One that waits longer is cancelled,
	// with a *QueueTimeoutError. Default 0: for ever.
	QueueTimeout time.Duration
	// SilenceTimeout is how long a running task may give no sign of life, by
	// Heartbeat or Report, since it began or since the last one; WithSilenceTimeout
	// overrides it per call. One that is silent for longer ends as at its deadline,
	// with a *SilenceError. Default 0: for ever.
	SilenceTimeout time.Duration
	// Grace is how long a task whose context has ended, by its deadline or its
	// caller, has to return before its worker is killed. A task that returns in
	// time keeps its worker. Default: 100 ms; NoGrace: none. Process pools only:
	// a goroutine cannot be killed, it is abandoned at once.
	Grace time.Duration
	// Queue bounds how many accepted tasks may wait for a worker. Default 0: no
	// bound.
	Queue int
	// QueueBytes bounds the encoded arguments of the tasks that wait for a worker,
	// in bytes altogether. A task whose argument alone is larger is refused with a
	// *QueueBytesError. Default 0: no bound. Process pools only: with a goroutine
	// pool, which encodes nothing, it is a *ConfigError.
	QueueBytes int
	// WhenFull says what Submit does when there is no room in the queue. Those who
	// wait for room get it in the order in which they came. Default: Block.
	WhenFull FullPolicy
	// Rate bounds how many tasks begin in a second; what is beyond it waits in the
	// queue. 0.1 is one in ten seconds. In any t seconds at most
	// 1 + Rate/100 + Rate·t tasks begin. A pool with a rate sends its workers nothing
	// ahead. Default 0: no bound.
	Rate float64

	// Quarantine is how many workers in a row may end with the same task, until it
	// fails with a *QuarantineError and is not tried again: workers that died under
	// it, were killed at its deadline or, on a goroutine pool, abandoned. It bounds
	// what a Retry may cost; a task without one ends with its first worker. A worker
	// counts also if it died when the task was the next that it would begin, which
	// needs no Retry to be given to another. Default: 3.
	Quarantine int
	// Initializer makes the state that each worker has for its tasks; see State.
	// Before it has succeeded a worker gets none. If it fails in the first worker,
	// the pool is broken at once, and its constructor tells so: a *BrokenError with
	// an *InitializerError. Once a worker was ready, a failure is one of MaxFailures.
	// Default: none.
	Initializer *Initializer
	// StartTimeout is how long a worker may take to be ready: its process to start,
	// its initializer to succeed. The initializer's context ends then, and the
	// worker is killed Grace later. Default: 30 s.
	StartTimeout time.Duration
	// StopTimeout is how long a worker that is asked to leave may take for it: its
	// finalizer. The finalizer's context ends then, and the worker is killed Grace
	// later. One without a finalizer leaves at once. Default: 5 s.
	StopTimeout time.Duration
	// MaxFailures workers that could not become ready within FailureWindow, or as
	// many in a row, break the pool. Between them there is an exponential delay. On a
	// goroutine pool only initializers can fail, and only failures in a row count.
	// Defaults: 5 in 10 s.
	MaxFailures   int
	FailureWindow time.Duration
	// Logger is warned of workers that die unmeant and of finalizers that fail.
	// (What delays the starts of processes is told by the host's logger.) Default:
	// slog.Default().
	Logger *slog.Logger

	// Recycle says when a worker is replaced though nothing is wrong with it. Default:
	// never. Process pools only, as are the fields below.
	Recycle Recycle
	// Spares is how many workers beyond Workers are kept ready to take the place of
	// one that is killed or dies: at once, instead of after the start of a process,
	// a few milliseconds. Each costs an idle process, some 10 MB. Default: 1 if
	// TaskTimeout or SilenceTimeout is set, since such a pool is there to kill, else
	// none; NoSpares: none.
	// A pool that has shrunk to no worker has none.
	Spares int
	// Nice makes the workers, and what they start, less urgent than this program, by
	// 1 to 19 (nice(1)): so results and deadlines are seen to at once though all CPUs
	// compute. Default: 5; NoNice: as urgent as this program, or as it was made. Unix.
	Nice int
	// CPUs are those that the workers may run on, all of them on all; each must be one
	// that this program may run on. Default: the same as this program. Linux only.
	CPUs []int
	// Dir is the directory in which the workers run. Default: this program's at the
	// moment of the start.
	Dir string
	// Env is the environment of the workers: "key=value". Default: this program's at
	// the moment of the start.
	Env []string
	// Limits bound what each worker may use, and each process that its tasks start:
	// one whose tasks use more CPU time than Limits.CPUTime, altogether, is killed by
	// the system. Memory and Processes are of a worker with all that its tasks have
	// started; a task whose worker is killed for its memory fails with a *MemoryError in its
	// *WorkerError. What this machine cannot enforce, no worker starts with, and the constructor's
	// error tells: a *LimitError. WithCPUTime and WithMemory are for single tasks. Default: this program's. Linux only.
	Limits Limits
	// Privileges are those of this program that the workers do without, as a user of
	// their own, or most of the file system: the program's own file alone need not be
	// among Paths. Default: they have all of them. Linux only.
	Privileges Privileges
	// MaxPayload bounds an encoded argument or result, in bytes. Default: 256 MiB.
	MaxPayload int
	// SharedMemory bounds the memory that each worker shares with this process for
	// arguments and results of 1 MiB or more, in bytes: half of it for what goes to the
	// worker, half for what comes back. What finds no room there goes by the socket, as
	// smaller payloads do, some 1.5 to 4 times as slowly. It takes memory
	// only when it is first used, as much as was needed at a time, and keeps that until
	// its worker ends; for Recycle.Memory it counts. Linux from 5.14. Default: 512 MiB; NoSharedMemory: none.
	SharedMemory int
	// Stdout and Stderr are where the workers' output goes, in whole lines, each
	// given a line's end if it has none; what is longer than 64 KiB is cut into
	// several. Of calls of Write there is one at a time, also if both are the same
	// writer. A LineWriter learns the worker and the task of each line; io.Discard is
	// nowhere. Close returns when all is passed on. A writer that blocks holds up the
	// workers that write, as it would in any program, but no result and no kill: the
	// news of a worker's end wait for it a tenth of a second at most, and what it was
	// not given by then is lost on it. Its errors are dropped. The last 16 KiB of each
	// worker's standard error are kept for error messages in any case.
	// Defaults: os.Stdout, os.Stderr.
	Stdout, Stderr io.Writer
	// Host is what the workers run on. Default: the program's shared host, started
	// with its first pool and closed with its last.
	Host *runtime.Host

	// Faults has the pool's workers and their channels fail, for tests of what the
	// program does then; package pooltest has one. Default: nil, none.
	Faults worker.Faults

	name string // of the pool's processes, for Host.Children and logs
}

// withDefaults checks the configuration and fills what is left out.
func (c Config) withDefaults() (Config, error) {
	for _, check := range []func() error{c.checkSigns, c.checkValues} {
		if err := check(); err != nil {
			return c, err
		}
	}
	setDefault(&c.Workers, goruntime.GOMAXPROCS(0))
	setDefault(&c.NestedWorkers, 64)
	if c.MinWorkers != 0 {
		setDefault(&c.Recycle.Idle, 30*time.Second)
	}
	if err := c.checkPlace(); err != nil {
		return c, err
	}
	setDefault(&c.Grace, 100*time.Millisecond)
	if c.TaskTimeout > 0 || c.SilenceTimeout > 0 {
		setDefault(&c.Spares, 1)
	}
	c.Spares = max(c.Spares, 0)
	setDefault(&c.MaxPayload, 256<<20)
	setDefault(&c.SharedMemory, min(512<<20, math.MaxInt/4))
	setDefault(&c.StartTimeout, 30*time.Second)
	setDefault(&c.StopTimeout, 5*time.Second)
	setDefault(&c.Quarantine, 3)
	setDefault(&c.MaxFailures, 5)
	setDefault(&c.FailureWindow, 10*time.Second)
	if c.name == "" {
		c.name = "process pool"
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, c.checkOutput()
}

// checkSigns refuses what is negative and has no name for that.
func (c *Config) checkSigns() error {
	for _, field := range []struct {
		name  string
		value int64
	}{
		{"Workers", int64(c.Workers)},
		{"NestedWorkers", int64(c.NestedWorkers)},
		{"Recycle.Tasks", int64(c.Recycle.Tasks)},
		{"Recycle.Age", int64(c.Recycle.Age)},
		{"Recycle.Idle", int64(c.Recycle.Idle)},
		{"Recycle.Memory", c.Recycle.Memory},
		{"TaskTimeout", int64(c.TaskTimeout)},
		{"QueueTimeout", int64(c.QueueTimeout)},
		{"SilenceTimeout", int64(c.SilenceTimeout)},
		{"Queue", int64(c.Queue)},
		{"QueueBytes", int64(c.QueueBytes)},
		{"Quarantine", int64(c.Quarantine)},
		{"MaxPayload", int64(c.MaxPayload)},
		{"StartTimeout", int64(c.StartTimeout)},
		{"StopTimeout", int64(c.StopTimeout)},
		{"MaxFailures", int64(c.MaxFailures)},
		{"FailureWindow", int64(c.FailureWindow)},
	} {
		if field.value < 0 {
			return &ConfigError{Field: field.name, Reason: fmt.Sprintf("%d is negative", field.value)}
		}
	}
	return nil
}

// checkValues refuses what can be of a field's type, and not of the field.
func (c *Config) checkValues() error {
	switch {
	case c.Grace < 0 && c.Grace != NoGrace:
		return &ConfigError{Field: "Grace", Reason: fmt.Sprintf("%d is negative; for no grace use NoGrace", c.Grace)}
	case c.SharedMemory < NoSharedMemory:
		return &ConfigError{Field: "SharedMemory", Reason: fmt.Sprintf("%d is negative; for none use NoSharedMemory", c.SharedMemory)}
	case c.Spares < NoSpares:
		return &ConfigError{Field: "Spares", Reason: fmt.Sprintf("%d is negative; for none use NoSpares", c.Spares)}
	case !(c.Rate >= 0 && c.Rate <= math.MaxFloat64): // nor is NaN
		return &ConfigError{Field: "Rate", Reason: fmt.Sprintf("%v is no number of tasks per second", c.Rate)}
	case c.WhenFull > Refuse:
		return &ConfigError{Field: "WhenFull", Reason: fmt.Sprintf("%d is no policy", c.WhenFull)}
	case c.MinWorkers < 0 && c.MinWorkers != NoMinimum:
		return &ConfigError{Field: "MinWorkers", Reason: fmt.Sprintf("%d is negative; for none use NoMinimum", c.MinWorkers)}
	case c.Workers > 0 && c.MinWorkers > c.Workers:
		return &ConfigError{Field: "MinWorkers", Reason: fmt.Sprintf("%d are more than Workers, %d", c.MinWorkers, c.Workers)}
	case c.Recycle.Memory > 0 && memoryTold() != nil:
		return &ConfigError{Field: "Recycle.Memory", Reason: fmt.Sprintf("this system does not tell how much memory a process has: %v", memoryTold())}
	case c.Initializer != nil && c.Initializer.state == nil:
		return &ConfigError{Field: "Initializer", Reason: "it is none that State.With has made"}
	case int64(c.MaxPayload) > math.MaxUint32-payloadRoom:
		return &ConfigError{Field: "MaxPayload", Reason: fmt.Sprintf("%d is over %d", c.MaxPayload, uint32(math.MaxUint32-payloadRoom))}
	}
	return nil
}

// grace is how much later than asked a worker is killed.
func (c *Config) grace() time.Duration { return max(c.Grace, 0) }

func setDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Option changes one call of Submit or Go.
type Option func(*Job)
