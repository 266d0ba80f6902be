package actors

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Command says what to start. Nothing is looked up and nothing is interpreted:
// there is no PATH search and no shell.
type Command struct {
	Name string   // for people, of a process that [System.Start] starts; empty: Path
	Path string   // of the program
	Args []string // all arguments, the program's name first; empty: Path alone
	Env  []string // "key=value"; nil: this program's environment
	Dir  string   // the directory to run in; empty: this program's
	// Nice makes the process, and what it starts, less urgent than this program, by 1
	// to 19; 0: as urgent. CPUs are those that it may run on, Linux only; empty: as
	// this program.
	Nice int
	CPUs []int
	// Limits bound what the process may use, and what it starts.
	Limits Limits
	// Privileges are those that the process does without.
	Privileges Privileges
	// Session makes the process lead a session of its own, without a terminal, and
	// not a process group alone.
	Session bool
	// Enclosed has all that the process starts end with it, by the system's
	// [Config.Enclose]. Otherwise that holds for its process group alone.
	Enclosed bool
	// Files arrive as descriptors 0, 1, 2, … and no other descriptor arrives; nil
	// entries arrive closed. The spawner closes them after the start, whether it
	// succeeded or not.
	Files []*os.File
}

// path is the program's as this program sees it.
func (c *Command) path() string {
	if c.Dir == "" || filepath.IsAbs(c.Path) {
		return c.Path
	}
	return filepath.Join(c.Dir, c.Path)
}

// arguments are all that the program gets.
func (c *Command) arguments() []string {
	if len(c.Args) == 0 {
		return []string{c.Path}
	}
	return c.Args
}

// failed is an error of a start, told as the os package tells it.
func (c *Command) failed(err error) error {
	return &fs.PathError{Op: "fork/exec", Path: c.Path, Err: err}
}

// lasting marks a bound that this machine does not enforce as permanent: it will not
// at another try either.
func lasting(err error) error {
	var limit *LimitError
	var privilege *PrivilegeError
	bound := errors.As(err, &limit) || errors.As(err, &privilege)
	if !bound || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) {
		return err
	}
	return Permanent(err)
}

// closeFiles may be called again. An error has no one to go to: the files are
// ends that the child has now, and nothing was written through them here.
func (c *Command) closeFiles() {
	for _, f := range c.Files {
		if f != nil {
			_ = f.Close()
		}
	}
	c.Files = nil
}
