package runtime_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime"
)

func init() {
	helpers["init"] = func() {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			fmt.Println("refused:", err)
			return
		}
		if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			fmt.Println("refused:", err)
			return
		}
		if os.Getpid() != 1 {
			panic(os.Getpid())
		}
		adopt()
	}
	helpers["subreaper"] = func() {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			panic(err)
		}
		adopt()
	}
}

// adopt is a host that adopts orphans: of a worker that lives, and of itself.
func adopt() {
	h, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	inForce, why := h.Containment()
	if inForce == runtime.ContainGroup {
		fmt.Println("refused:", why)
		return
	}
	f := settle(panicky{}, h)

	// Somebody else's child, which he has not waited for yet.
	theirs := exec.Command("sh", "-c", "exit 7")
	if err := theirs.Start(); err != nil {
		panic(err)
	}
	eventually(panicky{}, "somebody else's zombie", func() bool { return state(theirs.Process.Pid) == 'Z' })

	fmt.Fprintln(f.in, "for n in 1 2 3 4 5 6 7 8 9; do (setsid sh -c 'exit 3' &); done; exec sleep 1000")
	eventually(panicky{}, "the orphans' begin", func() bool { return name(f.process.PID()) == "sleep" })
	eventually(panicky{}, "the orphans' end", func() bool {
		mine := children()
		// Besides theirs there are the worker, its daemon and the guard.
		return len(mine) == 4 && mine[theirs.Process.Pid] == 'Z'
	})
	if err := theirs.Wait(); err == nil || theirs.ProcessState.ExitCode() != 7 {
		fmt.Printf("somebody else's child was reaped for him: %v, %v\n", err, theirs.ProcessState)
		return
	}
	if err := syscall.Kill(f.process.PID(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	r := <-f.exited
	if r.Exit.Signal != syscall.SIGKILL {
		fmt.Printf("the worker's status was lost: %v\n", r.Exit)
		return
	}
	if err := h.Close(); err != nil {
		panic(err)
	}
	if mine := children(); len(mine) != 0 {
		fmt.Printf("left: %v\n", mine)
		return
	}
	fmt.Println("ok")
}

// name returns the name of a process's program.
func name(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return string(bytes.TrimSpace(text))
}

// children returns the states of this program's children, zombies included.
func children() map[int]byte {
	all := map[int]byte{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, after, _ := bytes.Cut(line, []byte(") "))
		if fields := bytes.Fields(after); len(fields) > 1 && string(fields[1]) == strconv.Itoa(os.Getpid()) {
			all[pid] = fields[0][0]
		}
	}
	return all
}

// A host that is init, or a subreaper, reaps what its workers leave behind also
// while they live, leaves alone what others in the program have started, and
// takes no worker's status from the reactor.
func TestAdopted(t *testing.T) {
	for _, test := range []struct{ name, backend string }{
		{"init", ""},
		{"subreaper", ""},
		{"subreaper", "poll"}, // sees an exit late, and does not know a status that was taken
	} {
		t.Run(test.name+" "+test.backend, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), helperKey+"="+test.name)
			if test.backend != "" {
				cmd.Env = append(cmd.Env, "STINT_REACTOR="+test.backend)
			}
			cmd.Stderr = os.Stderr
			if test.name == "init" {
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
			}
			out, err := cmd.Output()
			switch said := string(out); {
			case err != nil && cmd.ProcessState == nil:
				t.Skipf("this machine refuses a pid namespace: %v", err)
			case bytes.HasPrefix(out, []byte("refused: ")):
				t.Skip(said)
			case err != nil || said != "ok\n":
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}
