package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Members returns the processes that are in the group and in those below it, zombies
// not among them.
func (g *Group) Members() ([]int, error) { return members(g.path) }

func members(path string) (pids []int, err error) {
	list, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(list)) {
		if pid, err := strconv.Atoi(strings.TrimSuffix(line, "\n")); err == nil && pid > 0 { // 0: outside this pid namespace
			pids = append(pids, pid)
		}
	}
	entries, err := os.ReadDir(path)
	for _, entry := range entries {
		if entry.IsDir() {
			below, err := members(filepath.Join(path, entry.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
				return pids, err
			}
			pids = append(pids, below...)
		}
	}
	return pids, err
}

// killMembers kills what is in a group of version 1, which has no cgroup.kill, once:
// what is forked meanwhile is for the next time. A process is killed by its pidfd, and
// only if its pid is in the group after that was opened: so the pid is that process's.
func killMembers(path string) error {
	pids, err := members(path)
	held := make(map[int]int, len(pids)) // pidfds
	defer func() {
		for _, fd := range held {
			_ = unix.Close(fd)
		}
	}()
	for _, pid := range pids {
		fd, openErr := unix.PidfdOpen(pid, 0)
		switch {
		case openErr == nil:
			held[pid] = fd
		case openErr != unix.ESRCH:
			err = errors.Join(err, os.NewSyscallError("pidfd_open", openErr))
		}
	}
	still, memberErr := members(path)
	for pid, fd := range held {
		if !slices.Contains(still, pid) {
			continue
		}
		if killErr := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); killErr != nil && killErr != unix.ESRCH {
			err = errors.Join(err, os.NewSyscallError("pidfd_send_signal", killErr))
		}
	}
	return errors.Join(err, memberErr)
}
