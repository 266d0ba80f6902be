//go:build unix

package worker_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime/worker"
)

func init() {
	helpers["refuse"] = worker.Refuse
	helpers["serve"] = func() { worker.Serve(handlers) }
}

// SEC-3: what a task starts inherits neither the channel, nor the claim table,
// nor the mark of a worker, and cannot open the channel by its name in /proc.
func TestGrandchildInheritsNothing(t *testing.T) {
	h := serving(t)
	listing := h.value("shell", `for fd in 3 4 5 6 7 8 9; do (exec <&$fd) 2>/dev/null && echo $fd; done; echo end`)
	if listing != "end" {
		t.Errorf("these are open: %s", listing)
	}
	if got := h.value("shell", "env | grep STINT_WORKER= || echo none"); got != "none" {
		t.Errorf("the environment has %s", got)
	}
	for _, fd := range []string{"3", "4"} {
		if got := h.value("shell", "(echo forged > /proc/$PPID/fd/"+fd+") || echo refused"); !strings.HasSuffix(got, "refused") {
			t.Errorf("writing to the channel: %s", got)
		}
	}
	if got := h.value("echo", "still there"); got != "still there" {
		t.Errorf("%q", got)
	}
}

// PY-P-11: a program that did not serve says so to its host, and on its standard
// error, and ends.
func TestRefuse(t *testing.T) {
	h := launch(t, config{env: []string{helperKey + "=refuse"}})
	if err := h.awaitClosed(); err != worker.ErrNoMain {
		t.Errorf("closed with %v", err)
	}
	if code := h.exit().ExitCode(); code != 96 {
		t.Errorf("exit code %d", code)
	}
	if tail := h.link.StderrTail(); !strings.Contains(tail, worker.ErrNoMain.Error()) {
		t.Errorf("standard error: %s", tail)
	}
	select {
	case <-h.ready:
		t.Error("it was ready")
	default:
	}
}

// Somebody set STINT_WORKER by hand: the program says what is wrong, and closes
// nothing that it was given.
func TestMarkWithoutChannel(t *testing.T) {
	for _, helper := range []string{"serve", "refuse"} {
		for name, files := range map[string][]*os.File{"nothing": nil, "no socket": {os.Stdin, os.Stdin, os.Stdin}} {
			t.Run(helper+" "+name, func(t *testing.T) {
				cmd := exec.Command(os.Args[0])
				cmd.Env = worker.Environment(append(os.Environ(), helperKey+"="+helper))
				cmd.ExtraFiles = files
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), "this process was started as a worker, but") {
					t.Errorf("%v: %s", err, out)
				}
				if helper == "serve" && !strings.Contains(string(out), "unset it") {
					t.Errorf("it does not say what to do: %s", out)
				}
			})
		}
	}
}

// The environment of a worker is the one given and the mark, and the slice of the
// caller is left alone.
func TestEnvironment(t *testing.T) {
	env := append(make([]string, 0, 10), "A=1")
	got := worker.Environment(env)
	if strings.Join(got, " ") != "A=1 STINT_WORKER=1" || env[:2][1] != "" {
		t.Errorf("%q, of %q", got, env[:2])
	}
}
