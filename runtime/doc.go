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
// # Goroutines
//
// None of its own; the reactor's loop and the actor system's spawner end with
// Close.
package runtime
