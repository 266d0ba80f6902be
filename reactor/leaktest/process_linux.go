package leaktest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// A process is one row of /proc.
type process struct {
	pid, parent int
	state       string // one letter, as in proc_pid_stat(5)
	kernel      bool   // a thread of the kernel's
	start       string // in clock ticks since boot; with the pid an identity
	bare        bool   // its environment is empty
	name        string
}

// A table is all processes of one moment by pid.
type table map[int]process

func processes() table {
	all := table{}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			all[pid] = p
		}
	}
	return all
}

// readProcess reads one row. The name stands in parentheses and may hold any
// character, so fields are counted from the last closing one.
func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return process{}, false
	}
	fields := strings.Fields(string(stat[end+1:])) // from field 3, the state, on
	if len(fields) < 49 {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	flags, _ := strconv.ParseUint(fields[6], 10, 32)
	return process{
		pid:    pid,
		parent: parent,
		kernel: flags&kernelThread != 0,
		state:  fields[0],
		start:  fields[19],
		bare:   fields[47] == fields[48] && fields[47] != "0", // where it begins and ends; 0 in an execve
		name:   string(stat[begin+1 : end]),
	}, err == nil
}

// kernelThread is the flag PF_KTHREAD of the kernel's sched.h.
const kernelThread = 0x00200000

// ours tells whether p came from this process, by any of three signs.
func (all table) ours(p process) bool {
	self := all[os.Getpid()]
	if p.pid == self.pid || all.descends(self, p.pid) {
		return false
	}
	return all.descends(p, self.pid) || p.marked() || p.sameBinary() && all.orphaned(p, self)
}

func (all table) descends(p process, ancestor int) bool {
	for hops := 0; p.parent > 0 && hops < len(all); hops++ {
		if p.parent == ancestor {
			return true
		}
		p = all[p.parent]
	}
	return false
}

// marked tells whether p inherited the environment that [Take] marked.
func (p process) marked() bool {
	environ, err := p.environment()
	return err == nil && strings.Contains(string(environ), mark())
}

// environment reads p's environment. In the middle of an execve a process has
// none, and whoever opened the old one reads nothing; so a process that shows none
// is looked at again, until it is said to be empty three times.
func (p process) environment() (environ []byte, err error) {
	for tries, empty := 0, 0; tries < 100 && empty < 3; tries++ {
		environ, err = readAtOnce(fmt.Sprintf("/proc/%d/environ", p.pid))
		if len(environ) > 0 || err != nil || p.kernel || p.state == "Z" || p.state == "X" {
			break
		}
		if p, _ = readProcess(p.pid); p.bare {
			empty++
		}
		time.Sleep(time.Millisecond)
	}
	return environ, err
}

// readAtOnce reads a file of /proc in one call, so that what comes is whole: an
// execve between two would end it early, as if the rest were not there.
func readAtOnce(path string) ([]byte, error) {
	for size := 1 << 14; ; size *= 2 {
		content := make([]byte, size)
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		n, err := file.Read(content)
		_ = file.Close()
		if err == io.EOF {
			return nil, nil
		}
		if err != nil || n < size {
			return content[:max(n, 0)], err
		}
	}
}

func (p process) sameBinary() bool {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false
	}
	other, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.pid))
	return err == nil && other == own
}

// orphaned tells whether p was handed to init or to a subreaper: its parent
// stands above the process that started us, and is none of ours. (Another run
// of this binary beside this one has our own parent.)
func (all table) orphaned(p, self process) bool {
	return all.descends(all[self.parent], p.parent) && !all[p.parent].sameBinary()
}

// String says what a report says: pid, state and command line.
func (p process) String() string {
	if p.state == "Z" {
		return fmt.Sprintf("process %d: zombie of %d, ended and never waited for: (%s)", p.pid, p.parent, p.name)
	}
	command := "(" + p.name + ")"
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid)); err == nil && len(line) > 0 {
		command = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	}
	return fmt.Sprintf("process %d: state %s, parent %d: %s", p.pid, p.state, p.parent, command)
}
