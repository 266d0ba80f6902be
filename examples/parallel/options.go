package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const help = `parallel runs a command for each value, several at a time.

    parallel [flags] command [argument …] [::: value …]

The values are those after ":::", or else the lines of standard input. In the
command and its arguments

    {}   is the value              {/}  is the value without its directory
    {.}  is it without extension   {#}  is the number of the job, from 1

and a command with none of these gets the value as its last argument. No shell is
involved and nothing is quoted: a value is one argument, whatever is in it. With
-shell the command is one script for sh, of which the value is the argument $1, and
{} stands for "$1", quotes and all.

A job's output is kept until it has ended and then written in one piece. A job has
failed when its exit code is not 0, when a signal or its timeout ended it, or when
it could not be started. At its timeout a job gets SIGTERM, with all that it has
started, and SIGKILL after the grace.

    seq 10 | parallel -j 4 -k echo number {}
    parallel -timeout 10s -retries 3 -joblog log fetch {} ::: a b c
    parallel -resume -joblog log fetch {} ::: a b c      what is not in the log
    parallel -halt now,fail=1 make -C {} ::: */

Exit codes: 0: all jobs succeeded. 1 to 100: so many have failed. 101: more. With
-halt now: that of the job that failed. 255: parallel itself could not go on.

Flags:
`

// options are what the command line says.
type options struct {
	slots        int
	ordered      bool
	timeout      time.Duration
	grace        time.Duration
	retries      int
	halt         halt
	joblog       string
	resume       bool
	resumeFailed bool
	progress     bool
	shell        bool
	dryRun       bool
	summary      bool

	command []string
	values  []string // after ":::"
	given   bool     // there was a ":::"
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("parallel", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, help)
		f.PrintDefaults()
	}
	f.IntVar(&o.slots, "j", goruntime.GOMAXPROCS(0), "run this `many` jobs at a time")
	f.BoolVar(&o.ordered, "k", false, "keep the order of the values in the output")
	f.DurationVar(&o.timeout, "timeout", 0, "how `long` a job may run (0: for ever)")
	f.DurationVar(&o.grace, "grace", 100*time.Millisecond, "the `time` between SIGTERM and SIGKILL")
	f.IntVar(&o.retries, "retries", 1, "run a job that fails up to this many `times` in all")
	f.Var(&o.halt, "halt", "`when` to stop: never; soon,fail=N: start no more jobs once N have failed; now,fail=N: kill the others, too")
	f.StringVar(&o.joblog, "joblog", "", "note each job's end in this `file`")
	f.BoolVar(&o.resume, "resume", false, "leave out the jobs that are in the joblog")
	f.BoolVar(&o.resumeFailed, "resume-failed", false, "leave out the jobs that are in the joblog and have succeeded")
	f.BoolVar(&o.progress, "progress", false, "tell on standard error how far it is")
	f.BoolVar(&o.shell, "shell", false, "the command is a script for sh")
	f.BoolVar(&o.dryRun, "dry-run", false, "print the commands and run none")
	f.BoolVar(&o.summary, "summary", false, "end with a line that sums up")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.command = f.Args()
	if i := slices.Index(o.command, ":::"); i >= 0 {
		o.command, o.values, o.given = o.command[:i], o.command[i+1:], true
	}
	return o, o.check()
}

func (o *options) check() error {
	switch {
	case len(o.command) == 0:
		return errors.New("there is no command; -help explains")
	case o.slots < 1:
		return fmt.Errorf("-j %d: there must be a slot at least", o.slots)
	case o.timeout < 0:
		return fmt.Errorf("-timeout %v is negative", o.timeout)
	case o.retries < 1:
		return fmt.Errorf("-retries %d: once at least", o.retries)
	case (o.resume || o.resumeFailed) && o.joblog == "":
		return errors.New("to resume there must be a -joblog")
	}
	return nil
}

// refusal is the exit code of a command line that cannot be.
func (o *options) refusal(err error, stderr io.Writer) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(stderr, "parallel:", err)
	return exitUsage
}

// halt says when to stop.
type halt struct {
	action haltAction
	fails  int
}

type haltAction uint8

const (
	haltNever haltAction = iota
	haltSoon
	haltNow
)

// verdict is what to do when so many jobs have failed.
func (h *halt) verdict(failed int) haltAction {
	if h.action != haltNever && failed >= h.fails {
		return h.action
	}
	return haltNever
}

// String implements flag.Value.
func (h *halt) String() string {
	return [...]string{"never", fmt.Sprintf("soon,fail=%d", h.fails), fmt.Sprintf("now,fail=%d", h.fails)}[h.action]
}

// Set implements flag.Value.
func (h *halt) Set(text string) error {
	*h = halt{}
	when, count, _ := strings.Cut(text, ",fail=")
	switch when {
	case "never":
		return nil
	case "soon":
		h.action = haltSoon
	case "now":
		h.action = haltNow
	default:
		return errors.New("want never, soon,fail=N or now,fail=N")
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return errors.New("want a number of failures, as in soon,fail=1")
	}
	h.fails = n
	return nil
}
