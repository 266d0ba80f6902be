// Package runtime puts the parts together: a Host is one reactor, which owns the
// wait handles of processes, and one actor system, in which each process has its
// actor. Pools run on a host.
//
//	host, err := runtime.Start(runtime.Config{})
//	if err != nil { … }
//	defer host.Close()
//	p, err := pool.NewProcessPool(pool.Config{Host: host})
//
// Most programs need none of it: a pool that is given no host uses the shared
// one, which lives from its first user to its last.
//
// Host.Children tells what runs on it, Host.Shutdown ends that within a time, and
// Host.Parent tells a program of its own parent's end.
//
// What a worker has started ends with it, however it was started; see
// [Containment]. For a host that is killed its guard does that, a process that is
// started with the first worker: this program once more, which Go initializes up to
// package runtime and which never gets to main.
//
// What a worker has started is held to its Limits.Memory together with it; see
// [Limiter].
//
// # Goroutines
//
// One from the first worker on, which ends what workers leave; it sleeps while
// there is nothing to end, unless it watches memory. One more, from the first process on that a control
// group of version 1 holds to its memory, which waits for the kernel to say that it is
// used up. Both end with Close, as the reactor's loop and the actor system's spawner do.
//
// # Costs
//
// The guard is one more start of this program beside the first worker's, which took
// 7 ms of 30 on two cores at a load of 20, and some 2 MiB of memory of its own:
// BenchmarkGuard.
package runtime
