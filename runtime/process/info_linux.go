package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/proctree"
)

// open opens the process's directory in /proc, through which nothing but this
// process can be reached: once it is gone, reading fails.
func (p Process) open() (*os.Root, proctree.Stat, error) {
	directory, err := os.OpenRoot("/proc/" + strconv.Itoa(p.pid))
	if err != nil {
		return nil, proctree.Stat{}, proctree.Gone(err)
	}
	line, err := directory.ReadFile("stat")
	var s proctree.Stat
	if err == nil {
		s, err = proctree.ParseStat(line)
	}
	if err == nil && s.Start != p.start {
		err = ErrReused
	}
	if err != nil {
		directory.Close()
		return nil, s, proctree.Gone(err)
	}
	return directory, s, nil
}

func (p Process) read() (Info, error) {
	directory, s, err := p.open()
	if err != nil {
		return Info{}, err
	}
	defer directory.Close()
	info := Info{
		Process: p,
		Parent:  s.Parent,
		Name:    s.Name,
		State:   State(s.State),
		Nice:    s.Nice,
		Threads: s.Threads,
		User:    ticks(s.User),
		System:  ticks(s.Kern),
	}
	if err := info.readStatus(directory); err != nil {
		return Info{}, proctree.Gone(err)
	}
	line, err := directory.ReadFile("cmdline")
	if err != nil {
		return Info{}, proctree.Gone(err)
	}
	if len(line) > 0 {
		info.Args = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	}
	return info, nil
}

// readStatus reads what /proc/PID/stat does not tell.
func (i *Info) readStatus(directory *os.Root) error {
	text, err := directory.ReadFile("status")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		key, rest, _ := strings.Cut(string(line), ":")
		fields := strings.Fields(rest)
		switch {
		case key == "Uid" && len(fields) == 4: // real, effective, saved, file system
			i.UID, err = strconv.Atoi(fields[1])
		case key == "Gid" && len(fields) == 4:
			i.GID, err = strconv.Atoi(fields[1])
		case key == "Groups":
			i.Groups, err = numbers(fields)
		case key == "VmRSS" && len(fields) == 2:
			i.RSS, err = strconv.ParseInt(fields[0], 10, 64)
			i.RSS <<= 10
		}
		if err != nil {
			return fmt.Errorf("malformed /proc/PID/status: %w", err)
		}
	}
	return nil
}

func numbers(fields []string) (ns []int, err error) {
	for _, field := range fields {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		ns = append(ns, n)
	}
	return ns, nil
}

func (p Process) parent() (Process, error) {
	directory, s, err := p.open()
	if err != nil {
		return Process{}, err
	}
	defer directory.Close()
	start, _, err := look(s.Parent)
	if err == nil && start > p.start { // has the pid of one that was the parent
		err = os.ErrProcessDone
	}
	return Process{s.Parent, start}, err
}

// eachThread calls do with each thread of the process, also with those that
// appear meanwhile: they may have begun before their creator was changed. The
// system has no call that changes them together.
func (p Process) eachThread(do func(tid int) error) error {
	directory, _, err := p.open()
	if err != nil {
		return err
	}
	defer directory.Close()
	done := map[int]bool{}
	for before := -1; before < len(done); {
		before = len(done)
		tids, err := threads(directory)
		if err != nil {
			return proctree.Gone(err)
		}
		for _, tid := range tids {
			if done[tid] {
				continue
			}
			done[tid] = true
			if err := do(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

func threads(directory *os.Root) ([]int, error) {
	tasks, err := directory.Open("task")
	if err != nil {
		return nil, err
	}
	defer tasks.Close()
	names, err := tasks.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	return numbers(names)
}

func setNice(tid, nice int) error {
	return os.NewSyscallError("setpriority", unix.Setpriority(unix.PRIO_PROCESS, tid, nice))
}

func affinity(pid int) (cpus []int, err error) {
	set := unix.NewCPUSet(maxCPUs)
	if err := unix.SchedGetaffinityDynamic(pid, set); err != nil {
		return nil, proctree.Gone(os.NewSyscallError("sched_getaffinity", err))
	}
	for cpu := range maxCPUs {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

func setAffinity(tid int, cpus []int) error {
	set := unix.NewCPUSet(maxCPUs)
	for _, cpu := range cpus {
		if cpu < 0 || cpu >= maxCPUs {
			return fmt.Errorf("there is no CPU %d", cpu)
		}
		set.Set(cpu)
	}
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinityDynamic(tid, set))
}

// maxCPUs is more than any kernel is built for.
const maxCPUs = 8192
