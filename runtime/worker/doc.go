// Package worker holds both ends of the protocol between a host and one of its
// worker processes, side by side: Link is the host's end, Serve the worker's.
//
// A worker is the running program once more, started over two inherited sockets, one
// for each direction: its channel. Beside it the two share one page of memory, the claim table, in
// which every task that was sent ahead is claimed exactly once: by the worker,
// which begins it, or by the host, which takes it back.
//
//	host                                              worker process
//	Link.Offer ─► claim: offered ─► outbox
//	Link.Flush ───────────────────► outbox ─► socket ─► reader ─► runner
//	                                                              │ claim: begun
//	Link.Withdraw ─► claim: withdrawn                             ▼ handler
//	Receiver.Results ◄─ reader ◄───────────── socket ◄───────── result
//
// A worker runs one task at a time, in the order of the offers, and writes each
// result before it begins the next task, or notes it in the journal: memory that
// host and worker share. Results of short tasks gather there and leave by the channel
// together, half a millisecond after the first at the latest; what a dead worker had
// noted and not sent, Link.NotedResults reads. So at its death at most one task has
// begun and not told its end, and the claim table says which.
//
// A chunk is several items of one task, offered together. Beside its claim it has a
// span, by which its items are claimed one by one: the worker begins the next, the
// host takes back from the end (Link.Shorten). The results of items gather in the
// journal, too; what a dead worker had noted and not sent of a chunk, Link.Noted
// reads.
//
// Payloads of 1 MiB or more go through an arena, the rest of that memory, where it can
// be sealed: the link copies an argument there before it writes the task's frame, and
// frees its region when its slot is free again (Link.Settled); a worker builds or
// copies a result there (Allocate), and the host frees it when it is read. A Region
// that the host keeps keeps the memory, whatever becomes of its worker and its link.
//
// The channel is the lifeline, too: when it ends, the host is gone, and the
// worker leaves at once with all of its process group, also while its task
// spins. Standard output and standard error are the worker's own and never carry
// frames; the end of standard error is kept for error messages.
//
// # Goroutines
//
// Each started Link has three: a reader, and one that passes on standard output,
// unless nobody wants it, and one for standard error.
// Frames are written by whoever flushes them; only while a worker is slow to read, or
// a large argument is to be copied, there is another, which ends with the last byte. The reader waits for the
// others, and Receiver.Closed is its last act: who has been told that has nothing
// more to wait for. (A LinkConfig.Stdout or Stderr that blocks is not waited for.)
//
// Serve uses its caller's goroutine as reader and one more as runner, which live
// as long as the process. A worker process starts no reactor and no actor system,
// unless a task makes a process pool of its own.
//
// # Systems
//
// Linux: socketpair, a sealed memfd, /proc/self/exe; from 5.14 on the arena. Other
// unixes: an unlinked temporary file, no arena, and the program's path. Windows has no back end yet, and every
// way in returns an error that Is errors.ErrUnsupported.
package worker
