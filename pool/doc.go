// Package pool runs typed tasks in pools, of worker processes or of goroutines,
// and tells the truth about each of them.
//
//	var isPrime = pool.NewTask("isPrime", func(ctx context.Context, n int64) (bool, error) { … })
//
//	func main() {
//		pool.Main() // a worker process serves tasks in here; otherwise it returns at once
//
//		p, err := pool.NewProcessPool(pool.Config{Workers: 4, TaskTimeout: 5 * time.Second})
//		if err != nil { … }
//		defer p.Close()
//
//		var fs []*futures.Future[bool]
//		for _, n := range numbers {
//			fs = append(fs, isPrime.Submit(ctx, p, n))
//		}
//		for f := range futures.AsCompleted(ctx, fs) {
//			prime, err := f.Result(ctx)
//			…
//		}
//	}
//
// A worker process is this program once more. Its task has a deadline, counted
// from when it begins: then the task's context ends; if it does not return
// within the grace period its worker is killed and replaced, and its future
// fails with a [*TimeoutError] when the worker's end has been seen. No other task
// notices. The error tells where the task hung, and %+v prints that. What had been
// sent ahead to that worker and had not begun runs elsewhere; what had begun is
// never run again, unless that was declared by [WithRetry].
//
// A goroutine pool ([NewGoroutinePool]) takes the same tasks, and closures by [Go].
// It costs less and can less: a goroutine cannot be killed, only abandoned.
// [Task.Start] runs one task in a process of its own, which ends with it.
//
// # What a task can have
//
// Clocks: besides its deadline ([WithTimeout]), how long it may wait to be begun
// ([WithQueueTimeout]) and run without a sign of life ([WithSilenceTimeout],
// [Heartbeat]); [Config] has those of a whole pool. And how much it may use of the
// processors and of memory ([WithCPUTime], [WithMemory]).
//
// Progress: it tells by [Report] how far it has come, and [Progress] reads that from
// its future, or [WithProgress] has a function called.
//
// Order: what waits begins by its priority ([WithPriority]), and within one
// priority in turns for each named queue ([WithQueue]), first in, first out.
//
// Retries: a declared policy ([WithRetry]) tries a failed task again, after delays,
// and quarantine ends one under which worker after worker has ended.
//
// Maps: [Task.Map] and [Task.MapUnordered] run a task for each item of a sequence:
// lazily, in chunks whose size follows from how long items run, and yet with a
// deadline, a failure and a fate for each item alone.
//
// Nesting: it may submit others to the pool that runs it, and wait ([From]), which
// cannot deadlock whatever the depth and the number of workers, since a task that
// waits for its own lends its place; and it may make a process pool of its own, to a
// depth of [MaxPoolDepth], of which nothing outlives its worker.
//
// Context: values registered by [RegisterContextValue] travel with it to its worker.
//
// Large data: an argument or a result of type *[Buffer] is used where it arrives,
// in memory that a worker shares with its host, and not copied out of it.
//
// # What a pool can have
//
// State: what each worker makes before its first task, and its tasks use, is a
// [State], given as [Config].Initializer.
//
// Size: workers are replaced by number of tasks, age, idleness or memory ([Recycle]),
// and their number follows the work ([Config].MinWorkers) or
// [ProcessPool.Resize].
//
// Output: what workers print comes in whole lines to [Config].Stdout and Stderr, of
// which a [LineWriter] knows the worker and the task.
//
// News: [ProcessPool.Events] is the stream of what happens, [ProcessPool.Insights]
// where each worker's time went, and [ProcessPool.Stats] the figures of the moment.
//
// # Errors
//
// How a task failed is told by the type of its future's error: [*TaskError] (it
// returned an error), [*PanicError], [*TimeoutError], [*SilenceError],
// [*ExcessError] (it has used too much), [*KilledError], [*WorkerError] (its worker died under it), [*CodecError] (its argument or result
// could not travel), [*RetryError] (it was tried again, in vain), [*QuarantineError]
// (worker after worker ended with it), [*BrokenError] (no worker can be started any
// more), and [*futures.CancelledError] if it never began; and [ErrClosed],
// [ErrQueueFull], [*QueueBytesError], [*NestingError] or a [*ConfigError] if it was not
// accepted.
//
// # Goroutines
//
// A process pool has three for each worker, which belong to its link (package
// runtime/worker): a reader, and one for each stream of its output; a fourth
// writes while a worker is slow to read, or a large argument is copied. One more ends the pool. Close waits for all
// of them, but not for one that a Stdout or Stderr of the caller's holds up. A
// deadline costs an alarm for each worker, not for each task. A goroutine pool has up
// to Config.Workers, started as needed, and more while tasks wait for nested ones;
// Close waits for them, but not for abandoned ones. Contexts with an end are watched
// by [context.AfterFunc], once for all tasks that share one. The functions of a Retry
// and of WithProgress are called on goroutines of their own, which end with the
// answer and with the last report. Maps, events and what waits between two attempts
// have none.
//
// # Costs
//
// A task whose argument and result are numbers is two allocations in its host on a
// process pool: 288 bytes with its types, and its future of 80. On a goroutine pool it
// is three, if it asks its context nothing. It has no goroutine of its own.
// docs/benchmarks.md has the times, beside those of others.
//
// # Systems
//
// Process pools need a unix: Linux with all that it offers, macOS and the BSDs
// with polling instead of pidfd. On Windows NewProcessPool returns an error that
// matches errors.ErrUnsupported. Goroutine pools run everywhere.
package pool
