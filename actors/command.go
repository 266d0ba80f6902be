package actors

import "os"

// Command says what to start. Nothing is looked up and nothing is interpreted:
// there is no PATH search and no shell.
type Command struct {
	Path string   // of the program
	Args []string // all arguments, the program's name first; empty: Path alone
	Env  []string // "key=value"; nil: this program's environment
	Dir  string   // the directory to run in; empty: this program's
	// Session makes the process lead a session of its own, without a terminal, and
	// not a process group alone.
	Session bool
	// Files arrive as descriptors 0, 1, 2, … and no other descriptor arrives; nil
	// entries arrive closed. The spawner closes them after the start, whether it
	// succeeded or not.
	Files []*os.File
}

func (c *Command) start() (*os.Process, error) {
	args := c.Args
	if len(args) == 0 {
		args = []string{c.Path}
	}
	p, err := os.StartProcess(c.Path, args, &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: onlyListed(c.Files),
		Sys:   sysProcAttr(c.Session),
	})
	if err != nil && c.Dir != "" {
		if _, dirErr := os.Stat(c.Dir); dirErr != nil { // err blames the program
			return nil, dirErr
		}
	}
	return p, err
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
