package subprocess

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime"
)

// Cmd says what to run, and how. A Cmd is a value: it may be run any number of
// times, also at once, as far as its streams allow.
type Cmd struct {
	// Args are the program and its arguments. A program without a slash in its name
	// is looked up in this program's PATH; one with a slash is relative to Dir.
	// Nothing is interpreted: see [Shell]. Required.
	Args []string
	// Dir is the directory to run in. Default: this program's.
	Dir string
	// Env is the whole environment, as "key=value". Default: nil, this program's.
	Env []string
	// AddEnv is added to that, and stands against a variable of the same name there.
	AddEnv []string

	Stdin  Input  // default: Null
	Stdout Output // default: Capture
	Stderr Output // default: Capture
	// ExtraFiles arrive as descriptors 3, 4, …; nil entries arrive closed. No other
	// descriptor arrives. They remain the caller's.
	ExtraFiles []*os.File
	// Session makes the command lead a session of its own, without a terminal.
	Session bool
	// Limits bound what the command may use, and each process that it starts. A
	// command with Memory or Processes, which are of all of these together, ends with
	// what it has started, daemons too, and if it reaches Memory the error is a
	// [*MemoryError]. Linux only. Default: this program's.
	Limits Limits
	// Privileges are those of this program that the command does without. Linux
	// only. Default: it has all of them.
	Privileges Privileges

	// Timeout is how long the command may run. Then it is killed with all that it has
	// started, see [Process.KillTree], and the error is a [*TimeoutError]. Default: no limit.
	Timeout time.Duration
	// Grace is the time between SIGTERM and SIGKILL, at the Timeout and when the
	// context of Run ends. Default: 100 ms. Negative: SIGKILL at once.
	Grace time.Duration
	// OutputLimit is how many bytes are kept of each captured stream: of more, the
	// first and the last half, and a [StreamError] says so. Default: 64 MiB.
	OutputLimit int
	// OutputDelay is how long after the exit streams are read on that a descendant
	// holds open, and a Reader's Read is waited for. Default: 500 ms.
	OutputDelay time.Duration
	// Check makes anything but an exit with code 0 an [*ExitError].
	Check bool

	// Host runs the command. Default: the shared one.
	Host *runtime.Host
}

// Limits bound the memory, the CPU time, the open files, and so on of a
// command. One that cannot be set fails the start, with a [*LimitError].
type Limits = actors.Limits

// LimitError says which of the [Limits] could not be set, and why.
type LimitError = actors.LimitError

// Privileges are who a command runs as, and what it may open.
type Privileges = actors.Privileges

// User is who a command runs as.
type User = actors.User

// Paths bounds what a command may open.
type Paths = actors.Paths

// PrivilegeError says which of the [Privileges] could not be given up, and why.
type PrivilegeError = actors.PrivilegeError

// NoCore, as the CoreSize of [Limits], has no core file written.
const NoCore = actors.NoCore

// Command returns a Cmd for a program and its arguments, which reach it as they are.
func Command(program string, args ...string) Cmd {
	return Cmd{Args: append([]string{program}, args...)}
}

// Shell returns a Cmd that has /bin/sh run a script, with args as $1, $2, …: to
// pass anything that is not known to be harmless, use these and never put it into
// the script.
func Shell(script string, args ...string) Cmd {
	return Cmd{Args: append([]string{"/bin/sh", "-c", script, "sh"}, args...)}
}

const (
	defaultGrace       = 100 * time.Millisecond
	defaultOutputLimit = 64 << 20
	defaultOutputDelay = 500 * time.Millisecond
)

// withDefaults returns the command with defaults for what was left out, or a
// *ConfigError.
func (c Cmd) withDefaults() (Cmd, error) {
	c.Stdin = cmp.Or(c.Stdin, Input(Null))
	c.Stdout = cmp.Or(c.Stdout, Output(Capture))
	c.Stderr = cmp.Or(c.Stderr, Output(Capture))
	c.Grace = cmp.Or(c.Grace, defaultGrace)
	c.OutputLimit = cmp.Or(c.OutputLimit, defaultOutputLimit)
	c.OutputDelay = cmp.Or(c.OutputDelay, defaultOutputDelay)
	return c, c.check()
}

// lacksSink tells an output that nothing could be passed on to.
func lacksSink(to Output) bool {
	switch to := to.(type) {
	case writer:
		return to.Writer == nil
	case lines:
		return to.call == nil
	}
	return false
}

func (c *Cmd) check() error {
	switch {
	case len(c.Args) == 0 || c.Args[0] == "":
		return &ConfigError{"Args", "there is no program"}
	case c.Timeout < 0:
		return &ConfigError{"Timeout", fmt.Sprintf("%v is negative", c.Timeout)}
	case c.OutputLimit < 0:
		return &ConfigError{"OutputLimit", fmt.Sprintf("%d is negative", c.OutputLimit)}
	case c.OutputDelay < 0:
		return &ConfigError{"OutputDelay", fmt.Sprintf("%v is negative", c.OutputDelay)}
	case c.Stdin == Input(reader{}):
		return &ConfigError{"Stdin", "its Reader is nil"}
	case lacksSink(c.Stdout):
		return &ConfigError{"Stdout", "its Writer or function is nil"}
	case lacksSink(c.Stderr):
		return &ConfigError{"Stderr", "its Writer or function is nil"}
	case c.Stdout == Output(ToStdout):
		return &ConfigError{"Stdout", "it cannot go where it goes itself"}
	case strings.ContainsRune(c.Dir, 0):
		return &ConfigError{"Dir", "it contains a NUL byte"}
	}
	var unfit *actors.ConfigError
	if errors.As(errors.Join(c.Limits.Check(), c.Privileges.Check()), &unfit) {
		return &ConfigError{unfit.Field, unfit.Reason}
	}
	return cmp.Or(checkStrings("Args", c.Args), checkStrings("Env", c.Env), checkStrings("AddEnv", c.AddEnv))
}

func checkStrings(name string, list []string) error {
	for i, s := range list {
		if strings.IndexByte(s, 0) >= 0 {
			return &ConfigError{fmt.Sprintf("%s[%d]", name, i), "it contains a NUL byte"}
		}
	}
	return nil
}
