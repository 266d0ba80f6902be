package guard

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/cgroup"
	"github.com/stint-go/stint/runtime/internal/mark"
)

// Environment makes a process of this program a guard. Its value is the duty.
const environment = "STINT_GUARD"

// limit is how long a guard tries to end what does not go: what the kernel holds
// in an uninterruptible wait ends with that, since it has been killed.
const limit = time.Minute

// exitRefused is the exit code of a process that was told by mistake to be a guard.
const exitRefused = 97

// Duty is what a guard has to know.
type Duty struct {
	Host   int       // its pid, after which its groups of version 1 are named
	Mark   mark.Mark // all below it is to end; 0: nothing is marked
	Cgroup string    // the host's group; empty: it has none
}

// String returns the duty as it stands in the guard's environment.
func (d Duty) String() string { return fmt.Sprintf("%d %x %s", d.Host, uint64(d.Mark), d.Cgroup) }

func parseDuty(s string) (Duty, error) {
	parts := strings.SplitN(s, " ", 3)
	if len(parts) < 3 {
		return Duty{}, fmt.Errorf("%q is no duty", s)
	}
	host, hostErr := strconv.Atoi(parts[0])
	m, markErr := strconv.ParseUint(parts[1], 16, 64)
	if err := errors.Join(hostErr, markErr); err != nil {
		return Duty{}, fmt.Errorf("%q is no duty: %w", s, err)
	}
	return Duty{host, mark.Mark(m), parts[2]}, nil
}

// Start starts a guard and gives it the duty. It guards from this moment on: that
// this program has died meanwhile it finds out when it runs. The caller reaps it. It
// ends when lifeline is closed, unless it is killed before.
func Start(d Duty) (guard *os.Process, lifeline *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	guard, err = os.StartProcess("/proc/self/exe", []string{os.Args[0], "stint-guard"}, &os.ProcAttr{
		Dir:   "/",
		Env:   append(os.Environ(), environment+"="+d.String()),
		Files: []*os.File{r},
		// A guard that somebody has stopped goes on when its host dies.
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGCONT},
	})
	if err != nil {
		_ = w.Close()
		return nil, nil, err
	}
	return guard, w, nil
}

// A guard never gets beyond this.
func init() {
	value, ok := os.LookupEnv(environment)
	if !ok {
		return
	}
	d, err := parseDuty(value)
	if err == nil {
		err = checkLifeline()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "stint: this process was started as a guard, but %v (%s is set by a host for its own guard; unset it)\n", err, environment)
		os.Exit(exitRefused)
	}
	d.stand()
	os.Exit(0)
}

func checkLifeline() error {
	var s unix.Stat_t
	if err := unix.Fstat(0, &s); err != nil || s.Mode&unix.S_IFMT != unix.S_IFIFO {
		return fmt.Errorf("it has no lifeline")
	}
	return nil
}

// stand waits for the host's end.
func (d Duty) stand() {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGTSTP, unix.SIGUSR1, unix.SIGUSR2)
	debug.FreeOSMemory()
	var b [1]byte
	for {
		n, err := unix.Read(0, b[:])
		if n == 0 && err == nil || err != nil && err != unix.EINTR {
			break
		}
	}
	d.fulfil(time.Now().Add(limit))
}

// fulfil ends what the host has left.
func (d Duty) fulfil(deadline time.Time) {
	pause := time.Millisecond
	for !d.clean(deadline) && time.Now().Before(deadline) {
		time.Sleep(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// clean looks once for what is left, for some moments if it is marked, and reports
// whether that was nothing.
func (d Duty) clean(deadline time.Time) bool {
	empty := true
	if d.Cgroup != "" {
		_ = cgroup.Kill(d.Cgroup)
		empty = cgroup.Remove(d.Cgroup) == nil
	}
	if !cgroup.Sweep(d.Host) {
		empty = false
	}
	if d.Mark == 0 {
		return empty
	}
	table, err := mark.Open()
	if err != nil {
		return false
	}
	defer table.Close()
	patience := time.Now().Add(time.Second)
	if patience.After(deadline) {
		patience = deadline
	}
	left, err := table.Sweep(patience, func(m mark.Mark) bool { return m != d.Mark && d.Mark.Over(m) })
	return empty && err == nil && len(left) == 0
}
