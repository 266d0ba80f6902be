package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// joblog notes the ends of jobs in a file, in the columns of GNU parallel.
type joblog struct {
	file *os.File     // nil: nobody wants it
	done map[int]bool // jobs that are not run again
	err  error        // the first
}

const joblogHead = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

func openJoblog(o *options) (*joblog, error) {
	l := &joblog{done: map[int]bool{}}
	if o.joblog == "" {
		return l, nil
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if o.resume || o.resumeFailed {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
		if err := l.read(o.joblog, o.resumeFailed); err != nil {
			return nil, err
		}
	}
	var err error
	if l.file, err = os.OpenFile(o.joblog, flags, 0o666); err != nil {
		return nil, err
	}
	if info, err := l.file.Stat(); err == nil && info.Size() == 0 {
		_, l.err = l.file.WriteString(joblogHead)
	}
	return l, nil
}

// read learns which jobs are in the log. The last line of a job counts; one that
// was cut off by a crash does not.
func (l *joblog) read(name string, again bool) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		columns := strings.SplitN(lines.Text(), "\t", 9)
		number, err := strconv.Atoi(columns[0])
		if err != nil || len(columns) < 9 {
			continue
		}
		l.done[number] = !again || columns[6] == "0" && columns[7] == "0"
	}
	return lines.Err()
}

func (l *joblog) note(o outcome) {
	if l.file == nil || l.err != nil {
		return
	}
	_, l.err = fmt.Fprintf(l.file, "%d\t:\t%.3f\t%.3f\t0\t%d\t%d\t%d\t%s\n",
		o.number, float64(o.started.UnixMilli())/1e3, float64(o.elapsed)/float64(time.Second),
		len(o.stdout), o.code, o.signal, oneLine(strings.Join(o.args, " ")))
}

// oneLine keeps a command from looking like more than a line.
func oneLine(s string) string { return strings.NewReplacer("\n", " ", "\t", " ").Replace(s) }

func (l *joblog) close() error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.err, l.file.Close())
}
