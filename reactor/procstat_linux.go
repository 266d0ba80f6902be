package reactor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// procStat is what the reactor reads of /proc/PID/stat, proc_pid_stat(5).
type procStat struct {
	state   byte
	threads int
	start   uint64 // in clock ticks since boot
}

var errProcStat = errors.New("malformed /proc/PID/stat")

func readStat(pid int) (procStat, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(line)
}

func parseStat(line []byte) (procStat, error) {
	// The second field, the command's name in parentheses, may hold anything.
	const state, threads, start = 0, 17, 19 // fields 3, 20 and 22
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(fields) <= start {
		return procStat{}, errProcStat
	}
	n, err1 := strconv.Atoi(string(fields[threads]))
	t, err2 := strconv.ParseUint(string(fields[start]), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return procStat{}, fmt.Errorf("%w: %w", errProcStat, err)
	}
	return procStat{fields[state][0], n, t}, nil
}

// dead reports a zombie. One with threads left is a process whose main thread
// alone has ended.
func (s procStat) dead() bool {
	return (s.state == 'Z' || s.state == 'X') && s.threads <= 1
}
