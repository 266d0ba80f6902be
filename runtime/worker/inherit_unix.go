//go:build unix

package worker

import (
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
	softenHostDeath()
	if checkChannel() == nil { // else somebody set the mark by hand, which Serve tells
		unix.CloseOnExec(channelFD)
		unix.CloseOnExec(claimsFD)
	}
	depth, _ := strconv.Atoi(value)
	return max(depth, 1)
}()

// checkChannel looks whether a socket was handed down.
func checkChannel() error {
	_, err := unix.GetsockoptInt(channelFD, unix.SOL_SOCKET, unix.SO_TYPE)
	return os.NewSyscallError("getsockopt", err)
}

// openInherited opens what the host handed down.
func openInherited() (*os.File, *claimTable, error) {
	if err := checkChannel(); err != nil {
		return nil, nil, err
	}
	heedHostDeath()
	if err := unix.SetNonblock(channelFD, true); err != nil {
		return nil, nil, os.NewSyscallError("fcntl(O_NONBLOCK)", err)
	}
	file := os.NewFile(claimsFD, "stint-claims")
	defer file.Close()
	mapping, err := mapShared(file, sharedSize)
	if err != nil {
		return nil, nil, err
	}
	claims, err := newClaimTable(mapping)
	return os.NewFile(channelFD, "stint-channel"), claims, err
}

// leave ends this process because its host is gone or no longer wants it, and
// takes along whatever it started in its own process group.
func leave() {
	if unix.Getpgrp() == os.Getpid() {
		_ = unix.Kill(0, unix.SIGKILL)
	}
	os.Exit(exitOrphaned)
}
