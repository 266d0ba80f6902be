// Package futures holds the results of work that goes on elsewhere: a [Promise]
// is the side that whoever does the work writes to, a [Future] the side that
// everybody else reads.
//
//	promise, future := futures.New[int](nil)
//	go func() { promise.Succeed(6 * 7) }()
//	v, err := future.Result(ctx)
//
// A future is pending, then perhaps running, and then settles once and for all:
// succeeded, failed or cancelled. Whatever races to settle it, the first wins
// and the others are told that they did not.
//
// Many futures are read together with [AsCompleted], which yields each as it
// settles, and with [Wait], which tells those that have settled from those that
// have not. Both take futures of one type, or of any types as [Awaitable].
//
//	for f := range futures.AsCompleted(ctx, fs) {
//		v, err := f.Result(ctx)
//		…
//	}
//
// # Waiting
//
// The ctx of a wait bounds that wait and nothing else: the work goes on when it
// ends. What has settled comes before a ctx that has ended, so a wait under a
// ctx that ended long ago is a poll. A wait that ends early returns a
// [*WaitError], or an [*UnfinishedError] where it was for many, so that it can
// be told from work that ran into a deadline of its own.
//
// # Memory
//
// A future of a word-sized type is one allocation of 80 bytes on a 64-bit
// system, and its whole life needs no other. It grows by a channel (112 bytes)
// when somebody blocks in Result or Err or calls Done. An AsCompleted or a Wait
// takes 40 bytes for each future while it looks on, and about 24 more while it
// begins. Once it has settled, a future refers to neither its pool nor those who
// waited, and AsCompleted lets go of each future that it has yielded.
//
// # Goroutines
//
// Waiting and settling start none. A future that has callbacks runs them, when
// it settles, on one goroutine of its own, which ends with the last of them; see
// [Future.OnDone]. Nothing here starts a timer or polls.
//
// # Systems
//
// The package is the same on every system and imports the standard library only.
package futures
