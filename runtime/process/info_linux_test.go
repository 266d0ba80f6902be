package process_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/process"
)

func TestInfo(t *testing.T) {
	leaktest.Check(t)
	before := time.Now()
	args := []string{"sh", "-c", "kill -STOP $$", "", "x y"}
	cmd := run(t, args[0], args[1:]...)
	p := find(t, cmd.Process.Pid)
	if at := p.Started(); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("started at %v, now is %v", at, time.Now())
	}
	var info process.Info
	eventually(t, "it runs, and has stopped itself", func() (stopped bool) { // its arguments come after Start returns
		var err error
		if info, err = p.Info(); err != nil {
			t.Fatal(err)
		}
		return info.State == process.Stopped
	})
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if info.Process != p || info.Parent != os.Getpid() || info.UID != os.Geteuid() || info.GID != os.Getegid() || !slices.Equal(info.Groups, groups) {
		t.Errorf("%+v", info)
	}
	if !slices.Equal(info.Args, args) || info.Name != "sh" || info.RSS < 4<<10 || info.Threads != 1 || info.State == process.Zombie {
		t.Errorf("%+v", info)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	info, err = p.Info()
	if err != nil || info.State != process.Zombie || info.State.String() != "zombie" || info.Args != nil || info.RSS != 0 {
		t.Errorf("a zombie: %+v, %v", info, err)
	}
	_ = cmd.Wait()
	for what, err := range map[string]error{
		"Info":        second(p.Info()),
		"Parent":      second(p.Parent()),
		"Children":    second(p.Children()),
		"Descendants": second(p.Descendants()),
		"Affinity":    second(p.Affinity()),
		"SetAffinity": p.SetAffinity(0),
		"SetNice":     p.SetNice(1),
		"Signal":      p.Kill(),
		"KillTree":    second(p.KillTree(soon(t))),
	} {
		var of *process.Error
		if !errors.Is(err, os.ErrProcessDone) || !errors.As(err, &of) || of.PID != p.PID() {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTimeAndMemory(t *testing.T) {
	leaktest.Check(t)
	p := find(t, run(t, "sh", "-c", "while :; do :; done").Process.Pid)
	eventually(t, "50 ms of CPU time", func() bool {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		return info.User+info.System >= 50*time.Millisecond
	})
}

func TestParent(t *testing.T) {
	leaktest.Check(t)
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	s := shell(t, "sleep 1000 & echo $!; read line")
	grandchild := s.hearPID()
	parent, err := grandchild.Parent()
	if err != nil || parent.PID() != s.cmd.Process.Pid {
		t.Fatalf("%v, %v", parent, err)
	}
	if grandparent, err := parent.Parent(); err != nil || grandparent != self {
		t.Errorf("%v, %v", grandparent, err)
	}
	children, err := self.Children()
	if err != nil || !slices.Contains(children, parent) || slices.Contains(children, grandchild) {
		t.Errorf("children: %v, %v", children, err)
	}
	descendants, err := self.Descendants()
	if i := slices.Index(descendants, parent); err != nil || i < 0 || slices.Index(descendants, grandchild) < i {
		t.Errorf("descendants: %v, %v", descendants, err)
	}
}

// All threads of a process are changed, and what is out of the question refused.
func TestPriorityAndAffinity(t *testing.T) {
	leaktest.Check(t)
	p := find(t, run(t, "sleep", "1000").Process.Pid)
	cpus, err := p.Affinity()
	if err != nil || len(cpus) == 0 || !slices.IsSorted(cpus) {
		t.Fatalf("%v, %v", cpus, err)
	}
	last := cpus[len(cpus)-1]
	if err := p.SetAffinity(last); err != nil {
		t.Fatal(err)
	}
	if now, err := p.Affinity(); err != nil || !slices.Equal(now, []int{last}) {
		t.Errorf("%v, %v", now, err)
	}
	for _, wrong := range [][]int{nil, {-1}, {8191}, {1 << 20}} {
		if err := p.SetAffinity(wrong...); err == nil || !strings.Contains(err.Error(), p.String()) {
			t.Errorf("SetAffinity(%v): %v", wrong, err)
		}
	}
	if err := p.SetNice(7); err != nil {
		t.Fatal(err)
	}
	if info, err := p.Info(); err != nil || info.Nice != 7 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestThreadsAreChanged(t *testing.T) {
	leaktest.Check(t)
	cmd := program("threads")
	begin(t, cmd)
	p := find(t, cmd.Process.Pid)
	eventually(t, "several threads", func() bool {
		info, err := p.Info()
		return err == nil && info.Threads >= 4
	})
	if err := p.SetNice(5); err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/" + strings.TrimPrefix(p.String(), "process ") + "/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		stat, err := os.ReadFile("/proc/" + task.Name() + "/stat")
		if err != nil {
			continue // a thread that has ended
		}
		_, fields, _ := strings.Cut(string(stat), ") ")
		if nice := strings.Fields(fields)[16]; nice != "5" {
			t.Errorf("thread %s: nice %s", task.Name(), nice)
		}
	}
}
