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
// fails with a *TimeoutError when the worker's end has been seen. No other task
// notices. The error tells where the task hung, and %+v prints that. What had been
// sent ahead to that worker and had not begun runs elsewhere; what had begun is
// never run again, unless that was declared by WithRetry.
//
// A task has two more clocks: how long it may wait to be begun, and how long it
// may run without a sign of life (Heartbeat). See Config. How far it has come it
// tells by Report, and its future by Progress.
//
// What waits begins by its priority (WithPriority), and within one priority in
// turns for each named queue (WithQueue), first in, first out.
//
// A task may submit others to the pool that runs it, and wait (From): that cannot
// deadlock, whatever the depth and the number of workers, since a task that waits
// for its own lends its place. It may also make a process pool of its own, to a
// depth of MaxPoolDepth; whatever it leaves of that ends with its worker.
//
// How a task failed is told by the type of its future's error: *TaskError (it
// returned an error), *PanicError, *TimeoutError, *SilenceError, *KilledError,
// *WorkerError (its worker died under it), *CodecError (its argument or result
// could not travel), *RetryError (it was tried again, in vain), *QuarantineError
// (worker after worker ended with it), *BrokenError (no worker can be started any
// more), and *futures.CancelledError if it never began; and ErrClosed,
// ErrQueueFull, *QueueBytesError, *NestingError or a *ConfigError if it was not
// accepted.
//
// A goroutine pool takes the same tasks, and closures by Go. It costs less and
// can less: a goroutine cannot be killed, only abandoned.
//
// Task.Map runs a task for each item of a sequence and yields the results, in
// order or as they come: lazily, in chunks whose size follows from how long items
// run, and yet with a deadline, a failure and a fate for each item alone.
//
// Task.Start runs one task in a process of its own, which ends with it.
//
// # Goroutines
//
// A process pool has three for each worker, which belong to its link (package
// runtime/worker), and one that ends it; Close waits for all of them. A
// deadline costs a timer for each worker, not for each task. A goroutine pool has
// up to Config.Workers, started as needed; Close waits for them, but not for
// abandoned ones. Contexts with an end are watched by context.AfterFunc, once for
// all tasks that share one.
//
// # Systems
//
// Process pools need a unix: Linux with all that it offers, macOS and the BSDs
// with polling instead of pidfd. On Windows NewProcessPool returns an error that
// matches errors.ErrUnsupported. Goroutine pools run everywhere.
package pool
