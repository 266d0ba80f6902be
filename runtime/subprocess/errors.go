package subprocess

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// Conditions that the errors of this package match with errors.Is.
var (
	// ErrIncomplete: a descendant of the command held a stream open for
	// [Cmd.OutputDelay] after the exit; what it wrote later is missing.
	ErrIncomplete = errors.New("a process that the command started held the stream open after its exit")
	// ErrTruncated: there was more output than [Cmd.OutputLimit].
	ErrTruncated = errors.New("there was more output than OutputLimit")
	// ErrAlive refuses [Process.Release] before the process has ended.
	ErrAlive = errors.New("subprocess: the process has not ended yet")
	// ErrReleased refuses everything after [Process.Release].
	ErrReleased = errors.New("subprocess: the process was released")
	// ErrInput refuses the input of a [Process.Communicate]: there was one before, or
	// Stdin is no Pipe.
	ErrInput = errors.New("subprocess: there is no place for input: Stdin is no Pipe, or it was given its input before")
)

// ConfigError says which field of a [Cmd] cannot be used, and why.
type ConfigError struct {
	Field  string // as in "Args[1]"
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string { return "subprocess: Cmd." + e.Field + ": " + e.Reason }

// StartError says that a command could not be started. Err names the program, or
// the directory. It matches fs.ErrNotExist, fs.ErrPermission, [exec.ErrDot] for a
// program that was found in the current directory, os.ErrClosed for a [File] that was
// closed, syscall.E2BIG, syscall.EMFILE, and so on.
type StartError struct {
	Args []string
	Err  error
}

// Error implements error.
func (e *StartError) Error() string {
	s := fmt.Sprintf("subprocess: start %s: %v", commandLine(e.Args), e.Err)
	switch {
	case errors.Is(e.Err, syscall.E2BIG):
		s += fmt.Sprintf(" (%d arguments with %d bytes, and the environment)", len(e.Args), len(strings.Join(e.Args, "")))
	case errors.Is(e.Err, syscall.EMFILE):
		s += " (run fewer at once, or raise this program's limit of descriptors, RLIMIT_NOFILE: ulimit -n)"
	case errors.Is(e.Err, syscall.ENFILE):
		s += " (the whole system has no more descriptors: fs.file-max)"
	case errors.Is(e.Err, syscall.EAGAIN):
		s += " (no more processes: run fewer at once, or raise RLIMIT_NPROC or the control group's pids.max)"
	}
	return s
}

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Err }

// Is reports whether target is fs.ErrNotExist and the program is not in PATH.
func (e *StartError) Is(target error) bool {
	return target == fs.ErrNotExist && errors.Is(e.Err, exec.ErrNotFound)
}

// ExitError says that a command with Check ended otherwise than by an exit with
// code 0.
type ExitError struct {
	Args   []string
	PID    int
	Exit   reactor.Exit
	Err    error  // what is known of why, as an [*actors.OutOfMemoryError]; mostly nil
	Stderr []byte // the last 4 KiB, if it passed through this program
}

// Error implements error.
func (e *ExitError) Error() string {
	s := fmt.Sprintf("subprocess: %s (process %d) %v", commandLine(e.Args), e.PID, e.Exit)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if line := lastLine(e.Stderr); line != "" {
		s += ": " + line
	}
	return s
}

// Unwrap returns what is known of why.
func (e *ExitError) Unwrap() error { return e.Err }

// MemoryError says that a command was killed since it and what it had started had
// reached the Memory of its [Limits].
type MemoryError struct {
	Result Result // with the output until then
	Err    *actors.MemoryError
}

// Error implements error.
func (e *MemoryError) Error() string {
	s := fmt.Sprintf("subprocess: %s: %v", commandLine(e.Result.Args), e.Err)
	if line := lastLine(e.Result.Stderr); line != "" {
		s += ": " + line
	}
	return s
}

// Unwrap returns what the actors say of the process.
func (e *MemoryError) Unwrap() error { return e.Err }

// TimeoutError says that a command was killed at its Timeout. It matches
// context.DeadlineExceeded; [actors.ErrUnkillable], too, if it did not end of that.
type TimeoutError struct {
	Limit  time.Duration // that was exceeded
	Result Result        // with the output until then
}

// Error implements error.
func (e *TimeoutError) Error() string {
	s := fmt.Sprintf("subprocess: %s (process %d) was killed at its timeout of %v, and %s",
		commandLine(e.Result.Args), e.Result.PID, e.Limit, fate(e.Result.Exit))
	if line := lastLine(e.Result.Stderr); line != "" {
		s += ": " + line
	}
	return s + e.Result.escape()
}

// Is reports whether target is context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Unwrap returns why the exit is Unknown, if it is, and the Result's Strays.
func (e *TimeoutError) Unwrap() []error { return e.Result.doubts() }

// CanceledError says that a command was killed because the context of Run ended,
// or its host was closed. It matches what Err matches, and the context's own error.
type CanceledError struct {
	Result Result
	Err    error // the context's cause, or actors.ErrClosed

	err error // the context's own
}

// Error implements error.
func (e *CanceledError) Error() string {
	return fmt.Sprintf("subprocess: %s (process %d) was killed: %v; it %s",
		commandLine(e.Result.Args), e.Result.PID, e.Err, fate(e.Result.Exit)) + e.Result.escape()
}

// Unwrap returns the reason, why the exit is Unknown, if it is, and the Result's Strays.
func (e *CanceledError) Unwrap() []error { return append(e.Result.doubts(), e.Err) }

// Is matches the context's own error.
func (e *CanceledError) Is(target error) bool { return e.err != nil && target == e.err }

// StrayError says that a command was killed, and that what it had started outside of its
// process group, by setsid(2), could not be looked for. Its group was killed. It matches
// what Err matches, such as syscall.EMFILE.
type StrayError struct {
	Args []string
	PID  int
	Err  error
}

// Error implements error.
func (e *StrayError) Error() string {
	return fmt.Sprintf("subprocess: %s (process %d) was killed, with its process group%s", commandLine(e.Args), e.PID, e.escape())
}

func (e *StrayError) escape() string {
	s := fmt.Sprintf("; what it has started outside of its group may live, for it could not be looked for: %v", e.Err)
	if errors.Is(e.Err, syscall.EMFILE) || errors.Is(e.Err, syscall.ENFILE) {
		s += " (raise this program's limit of descriptors, RLIMIT_NOFILE: ulimit -n)"
	}
	return s
}

// Unwrap returns the reason.
func (e *StrayError) Unwrap() error { return e.Err }

// UnkillableError says that a command was killed and has not ended: see
// [actors.UnkillableError], which it unwraps to. Its streams were cut.
type UnkillableError struct {
	Args []string
	Err  *actors.UnkillableError
}

// Error implements error.
func (e *UnkillableError) Error() string {
	return fmt.Sprintf("subprocess: %s: %v", commandLine(e.Args), e.Err)
}

// Unwrap returns what the actors say of the process.
func (e *UnkillableError) Unwrap() error { return e.Err }

// fate says what became of a command that was killed.
func fate(e reactor.Exit) string {
	if errors.Is(e.Err, actors.ErrUnkillable) {
		return "lives: " + e.Err.Error()
	}
	return e.String()
}

// StreamError says that not everything has passed through a stream. The [Result]
// beside it holds the rest.
type StreamError struct {
	Args    []string
	Stream  string // "stdin", "stdout" or "stderr"
	Dropped int64  // of ErrTruncated: how many bytes are missing
	At      int    // and at which place in what was kept
	Err     error  // ErrIncomplete, ErrTruncated, or what a Reader or a Writer said
}

// Error implements error.
func (e *StreamError) Error() string {
	s := fmt.Sprintf("subprocess: %s of %s: %v", e.Stream, commandLine(e.Args), e.Err)
	if e.Dropped > 0 {
		s += fmt.Sprintf(": %d bytes are missing at byte %d", e.Dropped, e.At)
	}
	return s
}

// Unwrap returns the reason.
func (e *StreamError) Unwrap() error { return e.Err }

// WaitError says that a wait ended before the process did, which goes on. It
// unwraps to the context's cause, and matches the context's own error, too.
type WaitError struct {
	Args []string
	PID  int
	Err  error

	err error // the context's own
}

// Error implements error.
func (e *WaitError) Error() string {
	return fmt.Sprintf("subprocess: wait for %s (process %d): %v; the process goes on", commandLine(e.Args), e.PID, e.Err)
}

// Unwrap returns the context's cause.
func (e *WaitError) Unwrap() error { return e.Err }

// Is matches the context's own error.
func (e *WaitError) Is(target error) bool { return target == e.err }

// PipelineError says which stage of a [Pipeline] failed.
type PipelineError struct {
	Stage int // counted from 0
	Err   error
}

// Error implements error.
func (e *PipelineError) Error() string { return fmt.Sprintf("stage %d: %v", e.Stage+1, e.Err) }

// Unwrap returns the stage's error.
func (e *PipelineError) Unwrap() error { return e.Err }

// longestText bounds what is quoted in an error.
const longestText = 200

// commandLine is for people: arguments are quoted where they need it.
func commandLine(args []string) string {
	var line strings.Builder
	for i, arg := range args {
		if i > 0 {
			line.WriteByte(' ')
		}
		if line.Len()+len(arg) > longestText {
			return line.String() + "…"
		}
		if arg == "" || strings.ContainsFunc(arg, unsafe) {
			arg = fmt.Sprintf("%q", arg)
		}
		line.WriteString(arg)
	}
	return line.String()
}

func unsafe(r rune) bool { return r <= ' ' || r == '"' || r == '\'' || r == '\\' || r > '~' }

// lastLine returns the last line that says something, harmless for a terminal.
func lastLine(b []byte) string {
	text := strings.TrimSpace(string(b[max(0, len(b)-tailOfErrors):]))
	line := text[strings.LastIndexByte(text, '\n')+1:]
	if len(line) > longestText {
		line = line[:longestText] + "…"
	}
	if quoted := fmt.Sprintf("%q", line); quoted != `"`+line+`"` {
		return quoted
	}
	return line
}
