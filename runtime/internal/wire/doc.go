// Package wire is the language of the channel between a host and one of its
// worker processes: frames, their kinds, their limits, the handshake, and the
// codec of arguments and results.
//
// A frame is a header of 16 bytes and a payload:
//
//	 0       4     5     6      8               16
//	┌───────┬─────┬─────┬──────┬────────────────┬─────────…
//	│ size  │kind │  0  │ slot │ id             │ payload (size bytes)
//	└───────┴─────┴─────┴──────┴────────────────┴─────────…
//	 uint32  uint8       uint16  uint64           all little-endian
//
// The host says Hello, the worker answers Hello. Where there is something to
// initialize the host says so at once, and the worker answers by Value or Failure.
// Then the host sends Task, with Values before it if any travel, Cancel, AskStack and
// Quit, and the worker sends Value, Failure, Skipped, Progress and, if asked, Stack.
// A Chunk is several items of a task, whose results Items and LastItems bring. What
// a running task wants of its host it sends as a Call, which a Reply answers. A TaskAt
// and a ValueAt say where in the shared memory a large argument or result is. Both
// ends live in one binary, so the version in the handshake is a check, not a
// negotiation.
//
// Decoding trusts nothing: a size is checked against the cap before a byte is
// allocated for it, memory grows only with the bytes that really came, and
// every error is an *Error that names what was wrong.
//
// # Goroutines
//
// None. A Reader is used by one goroutine at a time; the append functions are
// pure.
package wire
