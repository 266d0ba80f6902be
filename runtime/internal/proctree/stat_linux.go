package proctree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Stat is what is read of /proc/PID/stat, proc_pid_stat(5).
type Stat struct {
	Name       string
	State      byte // the kernel's letter
	Parent     int
	Group      int    // its process group
	User, Kern uint64 // in ticks
	Nice       int
	Threads    int
	Start      uint64 // in ticks since boot
}

// ReadStat reads about the process that has the pid. The error is os.ErrProcessDone if
// there is none, or the system's.
func ReadStat(pid int) (Stat, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return Stat{}, Gone(err)
	}
	return ParseStat(line)
}

// Gone turns the ways in which /proc says that there is no process into Go's. Any
// other error says nothing of the process, and stays.
func Gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

var errStat = errors.New("malformed /proc/PID/stat")

// ParseStat parses the line.
func ParseStat(line []byte) (s Stat, err error) {
	// The second field, the command's name in parentheses, may hold anything.
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	fields := bytes.Fields(line[end+1:])
	if open < 0 || end < open || len(fields) < 20 {
		return s, errStat
	}
	number := func(field int) (n int64) { // as proc_pid_stat(5) counts them
		n, e := strconv.ParseInt(string(fields[field-3]), 10, 64)
		if e != nil {
			err = fmt.Errorf("%w: %w", errStat, e)
		}
		return n
	}
	return Stat{
		Name:    string(line[open+1 : end]),
		State:   fields[0][0],
		Parent:  int(number(4)),
		Group:   int(number(5)),
		User:    uint64(number(14)),
		Kern:    uint64(number(15)),
		Nice:    int(number(19)),
		Threads: int(number(20)),
		Start:   uint64(number(22)),
	}, err
}

// Ended tells a zombie. One with threads left is a process whose main thread
// alone has ended.
func (s Stat) Ended() bool { return (s.State == 'Z' || s.State == 'X') && s.Threads <= 1 }
