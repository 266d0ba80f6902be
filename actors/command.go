package actors

import (
	"cmp"
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

	descriptors *descriptorList // nil: one is opened
}

// program is the file's path as this program sees it.
func (c *Command) program() string {
	if c.Dir == "" || filepath.IsAbs(c.Path) {
		return c.Path
	}
	return filepath.Join(c.Dir, c.Path)
}

// start starts the process. A bound that this machine does not enforce, it will not
// at another try either.
func (c *Command) start(group int) (*os.Process, error) {
	p, err := c.place(group)
	return p, lasting(err)
}

// lasting marks a bound that this machine does not enforce as permanent.
func lasting(err error) error {
	var limit *LimitError
	var privilege *PrivilegeError
	bound := errors.As(err, &limit) || errors.As(err, &privilege)
	if !bound || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) {
		return err
	}
	return Permanent(err)
}

// place starts the process, in a control group if there is one, and gives it its
// place. It runs on the spawner's own
// thread, since a child begins with the CPUs of the thread that forked it.
func (c *Command) place(group int) (*os.Process, error) {
	unpin, err := pin(c.CPUs)
	if err != nil {
		return nil, err
	}
	p, err := c.spawn(group)
	unpin()
	if err != nil {
		return nil, err
	}
	if err := c.settle(p); err != nil {
		killStarted(p)
		_, _ = p.Wait() // soon: it was killed
		return nil, err
	}
	return p, nil
}

// settle gives a process that was started a moment ago what it cannot be born with.
func (c *Command) settle(p *os.Process) error {
	if c.Limits != (Limits{}) {
		if err := c.Limits.set(p); err != nil {
			return err
		}
	}
	return renice(p, c.Nice)
}

func (c *Command) spawn(group int) (*os.Process, error) {
	args := c.Args
	if len(args) == 0 {
		args = []string{c.Path}
	}
	attributes := sysProcAttr(c.Session, group)
	if c.Limits != (Limits{}) {
		if err := held(attributes); err != nil {
			return nil, err
		}
	}
	if err := c.Privileges.become(attributes); err != nil {
		return nil, err
	}
	p, err := os.StartProcess(c.Path, args, &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: c.onlyListed(),
		Sys:   attributes,
	})
	if errors.Is(err, syscall.EPERM) {
		err = c.refused(err)
	}
	if err != nil && c.Dir != "" {
		return nil, cmp.Or(chdirError(c.Dir), err) // err blames the program
	}
	return p, err
}

// refused says what it most likely is that this program may not do.
func (c *Command) refused(err error) error {
	switch {
	case c.Privileges.User != nil:
		return &PrivilegeError{"User", err}
	case c.Limits != (Limits{}):
		return &LimitError{Err: err} // to trace
	}
	return err
}

// chdirError returns why nothing can run in the directory, or nil.
func chdirError(dir string) error {
	_, err := os.Stat(dir + string(os.PathSeparator) + ".") // takes what chdir(2) takes
	var path *fs.PathError
	if errors.As(err, &path) {
		return &fs.PathError{Op: "chdir", Path: dir, Err: path.Err}
	}
	return err
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
