package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stat is what is read of /proc/PID/stat, proc_pid_stat(5).
type stat struct {
	name       string
	state      byte
	parent     int
	user, kern uint64 // in ticks
	nice       int
	threads    int
	start      uint64 // in ticks since boot
}

// ticksPerSecond is what /proc counts in, whatever the kernel itself does: USER_HZ.
const ticksPerSecond = 100

func ticks(n uint64) time.Duration { return time.Duration(n) * (time.Second / ticksPerSecond) }

// look finds the process that has the pid.
func look(pid int) (start uint64, ended bool, err error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false, gone(err)
	}
	s, err := parseStat(line)
	return s.start, s.ended(), err
}

// gone turns the ways in which /proc says that there is no process into Go's.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

var errStat = errors.New("malformed /proc/PID/stat")

func parseStat(line []byte) (s stat, err error) {
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
	return stat{
		name:    string(line[open+1 : end]),
		state:   fields[0][0],
		parent:  int(number(4)),
		user:    uint64(number(14)),
		kern:    uint64(number(15)),
		nice:    int(number(19)),
		threads: int(number(20)),
		start:   uint64(number(22)),
	}, err
}

// ended tells a zombie. One with threads left is a process whose main thread
// alone has ended.
func (s stat) ended() bool { return (s.state == 'Z' || s.state == 'X') && s.threads <= 1 }

// startTime tells the time by the clock of today, however it was set since.
func startTime(start uint64) time.Time {
	var sinceBoot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot) != nil {
		return time.Time{}
	}
	return time.Now().Add(ticks(start) - time.Duration(sinceBoot.Nano()))
}
