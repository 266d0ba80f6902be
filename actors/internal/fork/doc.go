// Package fork starts a process on Linux without holding the thread that starts it,
// and has the new process itself do what must be done before its first instruction.
//
// fork(2) copies the page tables of the parent, which takes long for a large one.
// vfork(2) does not, and suspends the thread until the child has called execve(2),
// for as long as that takes: on a file system that hangs, for ever. Here the child
// shares the memory as vfork's does (CLONE_VM), and the parent goes on: which is
// possible because the child needs no stack and no Go. It carries out a [Program], a
// list of system calls that the parent has prepared, the last of them execve; a few
// instructions of assembly are the whole interpreter. With execve, or when it exits, it
// leaves the memory, and the kernel wakes who waits for that (CLONE_CHILD_CLEARTID).
// An error it leaves in the memory, so no pipe is needed to tell it.
//
// What the shared memory asks for: nothing that a Program points to may be freed
// before [Child.Left], and nothing may run in the child but the list. So all signals
// have their default actions there (CLONE_CLEAR_SIGHAND, or system calls that say so).
//
// As long as a child shares the memory, the kernel takes both for one when it kills for want of
// memory: also if only the control group in which the child is to begin has none left, of
// which execve needs what arguments and environment take and some 100 KiB. So a group
// gets its limit after [Child.Left], or one that leaves room for that.
//
// It is there on amd64 and arm64. Elsewhere os.StartProcess has to do.
//
// # Goroutines
//
// None. A Program is for one goroutine, a Child for any number.
package fork
