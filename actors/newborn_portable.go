//go:build !linux || !(amd64 || arm64)

package actors

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/stint-go/stint/reactor"
)

// newborn is a process that was started a moment ago. Here the os package starts it,
// which waits until it executes its program.
type newborn struct{ *os.Process }

func (c *Command) start(Place) (newborn, error) {
	p, err := os.StartProcess(c.Path, c.arguments(), &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: c.onlyListed(),
		Sys:   sysProcAttr(c.Session),
	})
	if err != nil && c.Dir != "" {
		return newborn{}, cmp.Or(chdirError(c.Dir), err) // err blames the program
	}
	if err != nil {
		return newborn{}, err
	}
	b := newborn{p}
	if err := renice(p, c.Nice); err != nil {
		b.end()
		return newborn{}, err
	}
	return b, nil
}

// unsupported tells what only a child could do that has not executed its program yet.
func (c *Command) unsupported() error {
	switch {
	case c.Limits != (Limits{}):
		return &LimitError{Err: errors.ErrUnsupported}
	case c.Privileges.User != nil:
		return &PrivilegeError{"User", errors.ErrUnsupported}
	case c.Privileges.Paths != nil:
		return &PrivilegeError{"Paths", errors.ErrUnsupported}
	case c.Privileges.NoNew:
		return &PrivilegeError{"NoNew", errors.ErrUnsupported}
	case len(c.CPUs) > 0:
		return errors.ErrUnsupported
	}
	return nil
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

func (b newborn) pid() int { return b.Pid }

func (b newborn) executes(time.Duration) bool { return true }

func (b newborn) err() error { return nil }

func (b newborn) kill() { killStarted(b.Process) }

func (b newborn) end() {
	b.kill()
	_, _ = b.Wait() // soon: it was killed. Its status does not matter.
}

func (b newborn) watch(r *reactor.Reactor, deliver func(reactor.Exit)) (*reactor.Watch, error) {
	w, err := r.Watch(b.Process, deliver, watchOptions()...)
	if err != nil {
		b.end()
		return nil, err
	}
	_ = b.Release() // its descriptor: the watch has its own
	return w, nil
}
