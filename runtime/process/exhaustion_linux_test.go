package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/process"
)

func init() { programs["exhausted"] = exhausted }

// Without descriptors nothing that lives is called gone: KillTree ends a tree or leaves
// it running, and says so.
func TestWithoutDescriptors(t *testing.T) {
	cmd := program("exhausted")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// exhausted runs every operation with ever more descriptors to be had.
func exhausted() {
	_, release, err := runtime.Share() // a host is not to be started with what is left
	must(err)
	var whole unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_NOFILE, &whole))
	killed, refused := 0, 0
	for extra := 0; killed < 3; extra++ {
		cmd, root, tree := plant()
		free := exhaust(extra, whole)
		_, childrenErr := root.Children()
		_, descendantsErr := root.Descendants()
		_, infoErr := root.Info()
		_, findErr := process.Find(root.PID())
		signalErr := root.Signal(syscall.SIGCONT)
		running := root.Running()
		gone, alive, waitErr := process.WaitMany(over(), tree, nil)
		killedTree, killErr := root.KillTree(context.Background())
		must(unix.Setrlimit(unix.RLIMIT_NOFILE, &whole))
		free()

		for what, err := range map[string]error{
			"Children": childrenErr, "Descendants": descendantsErr, "Info": infoErr,
			"Find": findErr, "Signal": signalErr, "WaitMany": waitErr, "KillTree": killErr,
		} {
			if err != nil && !errors.Is(err, syscall.EMFILE) {
				fail("%d more, %s: %v", extra, what, err)
			}
		}
		switch {
		case !running:
			fail("%d more: what lives does not run", extra)
		case len(gone) > 0, waitErr == nil && len(alive) != len(tree):
			fail("%d more: WaitMany: %v gone, %v alive", extra, gone, alive)
		case killErr == nil && len(killedTree) != len(tree):
			fail("%d more: KillTree: no error, and %d of %d", extra, len(killedTree), len(tree))
		case killErr == nil:
			killed++
		default:
			refused++
		}
		for _, p := range tree {
			if info, err := p.Info(); err == nil && info.State == process.Stopped {
				fail("%d more: %v was left stopped (%v)", extra, p, killErr)
			}
		}
		if _, err := root.KillTree(context.Background()); err != nil && !errors.Is(err, os.ErrProcessDone) {
			fail("%d more: afterwards: %v", extra, err)
		}
		_ = cmd.Wait()
		for _, p := range tree {
			if p.Running() {
				fail("%d more: %v has escaped", extra, p)
			}
		}
	}
	must(release())
	fmt.Printf("%d killed, %d refused", killed, refused)
	if refused == 0 {
		fail("nothing was refused")
	}
}

// plant starts a shell with a sleep below.
func plant() (*exec.Cmd, process.Process, []process.Process) {
	cmd := exec.Command("sh", "-c", "setsid sleep 1000 & wait")
	must(cmd.Start())
	root, err := process.Find(cmd.Process.Pid)
	must(err)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		below, err := root.Descendants()
		must(err)
		if len(below) == 1 {
			if info, err := below[0].Info(); err == nil && info.Name == "sleep" {
				return cmd, root, append(below, root)
			}
		}
	}
	fail("the tree does not grow")
	return nil, root, nil
}

// exhaust leaves so many descriptors to be had, until free.
func exhaust(left int, whole unix.Rlimit) (free func()) {
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: whole.Max}))
	var held []int
	for {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == unix.EMFILE {
			break
		}
		must(err)
		held = append(held, fd)
	}
	if len(held) < left {
		fail("there are no %d descriptors to be had", left)
	}
	for _, fd := range held[:left] {
		must(unix.Close(fd))
	}
	return func() {
		for _, fd := range held[left:] {
			must(unix.Close(fd))
		}
	}
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, a ...any) {
	fmt.Println(strings.TrimSpace(fmt.Sprintf(format, a...)))
	os.Exit(1)
}
