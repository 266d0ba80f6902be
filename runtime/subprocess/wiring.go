package subprocess

import (
	"cmp"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// wiring is a command's streams: the ends that it gets, and those that stay here.
type wiring struct {
	files  []*os.File // for the command; its start closes them
	null   *os.File   // the null device, once one of them needs it
	stdin  *feed      // nil: its input does not come from here
	stdout *flow      // nil: it does not pass through here
	stderr *flow
	given  [3]*os.File // our ends of Pipes, for the caller
}

// wire opens what cmd's streams need. After an error nothing is open but what was
// handed, which is closed, too.
func wire(cmd *Cmd) (*wiring, error) {
	w := &wiring{
		stdout: newFlow("stdout", cmd.Stdout, cmd.OutputLimit),
		stderr: newFlow("stderr", cmd.Stderr, cmd.OutputLimit),
	}
	err := cmp.Or(
		w.openInput(cmd.Stdin),
		w.openOutput(1, cmd.Stdout, w.stdout, os.Stdout),
		w.openOutput(2, cmd.Stderr, w.stderr, os.Stderr),
	)
	for _, f := range cmd.ExtraFiles {
		if err == nil {
			err = w.lend(f)
		}
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *wiring) openInput(from Input) error {
	switch from := from.(type) {
	case reader:
		ours, err := w.pipe(false)
		w.stdin = &feed{pipe: ours, source: from.Reader}
		return err
	case Place:
		if from == Pipe {
			ours, err := w.pipe(false)
			w.stdin, w.given[0] = &feed{pipe: ours}, ours
			return err
		}
		return w.openPlace(from, os.Stdin)
	case Opened:
		return w.lend(from.file)
	case handed:
		w.files = append(w.files, from.file)
	}
	return nil
}

func (w *wiring) openOutput(number int, to Output, through *flow, inherited *os.File) (err error) {
	if through != nil {
		through.pipe, err = w.pipe(true)
		return err
	}
	switch to := to.(type) {
	case Sink: // ToStdout
		w.files = append(w.files, w.files[1])
	case Place:
		if to == Pipe {
			w.given[number], err = w.pipe(true)
			return err
		}
		return w.openPlace(to, inherited)
	case Opened:
		return w.lend(to.file)
	case handed:
		w.files = append(w.files, to.file)
	}
	return nil
}

func (w *wiring) openPlace(p Place, inherited *os.File) error {
	if p == Inherit {
		err := w.lend(inherited)
		if errors.Is(err, syscall.EBADF) || errors.Is(err, os.ErrClosed) {
			return nil // this program has none: the command neither
		}
		return err
	}
	if w.null == nil {
		var err error
		if w.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
			return err
		}
	}
	w.files = append(w.files, w.null)
	return nil
}

// lend gives the command a file that stays open here.
func (w *wiring) lend(f *os.File) (err error) {
	var twin *os.File
	if f != nil {
		twin, err = duplicate(f)
	}
	w.files = append(w.files, twin)
	return err
}

// pipe gives the command one end of a pipe and returns the other.
func (w *wiring) pipe(reads bool) (ours *os.File, err error) {
	ours, theirs, err := os.Pipe()
	if !reads {
		ours, theirs = theirs, ours
	}
	w.files = append(w.files, theirs)
	return ours, err
}

// close closes everything, of a command that did not start.
func (w *wiring) close() {
	for _, f := range w.files {
		closeFile(f)
	}
	w.closeOurs()
}

func (w *wiring) closeOurs() {
	if w.stdin != nil {
		closeFile(w.stdin.pipe)
	}
	for _, f := range w.flows() {
		closeFile(f.pipe)
	}
	for _, f := range w.given {
		closeFile(f)
	}
}

// flows returns the outputs that pass through here.
func (w *wiring) flows() (flows []*flow) {
	for _, f := range []*flow{w.stdout, w.stderr} {
		if f != nil {
			flows = append(flows, f)
		}
	}
	return flows
}

// stopFeeding ends a write that nobody reads any more.
func (w *wiring) stopFeeding() {
	if w.stdin != nil && w.stdin.source != nil {
		_ = w.stdin.pipe.SetWriteDeadline(time.Now())
	}
}

// cut ends reads of what is held open after the exit.
func (w *wiring) cut() {
	for _, f := range w.flows() {
		_ = f.pipe.SetReadDeadline(time.Now())
	}
}

// cutGiven has the caller's reads and writes of Pipes fail, with os.ErrDeadlineExceeded.
func (w *wiring) cutGiven() {
	for _, f := range w.given {
		if f != nil {
			_ = f.SetDeadline(time.Now())
		}
	}
}

// fault returns the first stream's fault, or nil.
func (w *wiring) fault(args []string) *StreamError {
	for _, f := range w.flows() {
		if err := f.fault(args); err != nil {
			return err
		}
	}
	if w.stdin != nil {
		return w.stdin.fault(args)
	}
	return nil
}

// closeFile takes nil, and an error has nobody to go to: what was written went
// through a pipe.
func closeFile(f io.Closer) {
	if f, ok := f.(*os.File); ok && f != nil {
		_ = f.Close()
	}
}
