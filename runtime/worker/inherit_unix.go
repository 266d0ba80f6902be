//go:build unix

package worker

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// EnvironmentKey tells a process that it was started as a worker, and its value at
// which depth. That is no secret: what authorises a worker is the channel that it
// inherited.
const EnvironmentKey = "STINT_WORKER"

// depth is how many hosts there are above this process, each a worker of the next;
// 0: it was not started as a worker. It is found out, and the traces are removed, before main and before anything that imports
// this package: so what the worker starts inherits neither the mark nor the
// channel. That no other descriptor arrives is the spawner's care.
var depth = func() int {
	value := os.Getenv(EnvironmentKey)
	if value == "" {
		return 0
	}
	os.Unsetenv(EnvironmentKey)
	fate = foretell(os.Getenv(strikesKey))
	os.Unsetenv(strikesKey)
	softenHostDeath()
	if checkChannel() == nil { // else somebody set the mark by hand, which Serve tells
		for _, fd := range []int{inFD, outFD, claimsFD} {
			unix.CloseOnExec(fd)
		}
	}
	depth, _ := strconv.Atoi(value)
	return max(depth, 1)
}()

// checkChannel looks whether a channel was handed down.
func checkChannel() error {
	for _, fd := range []int{inFD, outFD} {
		if _, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
			return fmt.Errorf("descriptor %d: %w", fd, os.NewSyscallError("getsockopt", err))
		}
	}
	return nil
}

// openInherited opens what the host handed down.
func openInherited() (*inherited, error) {
	if err := checkChannel(); err != nil {
		return nil, err
	}
	heedHostDeath()
	if err := errors.Join(unix.SetNonblock(inFD, true), unix.SetNonblock(outFD, false)); err != nil { // the first is in the poller
		return nil, os.NewSyscallError("fcntl(O_NONBLOCK)", err)
	}
	file := os.NewFile(claimsFD, "stint-claims")
	defer file.Close()
	mapping, err := mapShared(file, 0, sharedSize)
	if err != nil {
		return nil, err
	}
	claims, err := newClaimTable(mapping)
	return &inherited{channel{os.NewFile(inFD, "stint-in"), os.NewFile(outFD, "stint-out")}, claims, mapArena(file)}, err
}

// mapArena maps what host and worker share beyond the claims; nil: there is nothing,
// or no room for it, and large payloads go by the channel.
func mapArena(file *os.File) *workerArena {
	info, err := file.Stat()
	if err != nil || info.Size() <= int64(sharedSize) {
		return nil
	}
	mapping, err := mapShared(file, arenaOffset(), int(info.Size())-arenaOffset())
	if err != nil {
		return nil
	}
	return newWorkerArena(mapping)
}

// leave ends this process because its host is gone or no longer wants it, and
// takes along whatever it started in its own process group.
func leave() {
	if unix.Getpgrp() == os.Getpid() {
		_ = unix.Kill(0, unix.SIGKILL)
	}
	os.Exit(exitOrphaned)
}
