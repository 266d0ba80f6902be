package main

import (
	"bufio"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stint-go/stint/runtime/subprocess"
)

// job is one command to run.
type job struct {
	number int
	value  string
}

// cmd returns the job's command: with the value in its places.
func (o *options) cmd(j job) subprocess.Cmd {
	var cmd subprocess.Cmd
	if o.shell {
		cmd = subprocess.Shell(o.script(j), j.value)
	} else {
		cmd.Args = o.fill(j)
	}
	cmd.Timeout, cmd.Grace = o.timeout, o.grace
	return cmd
}

// fill puts the value into its places, or at the end if there is none.
func (o *options) fill(j job) []string {
	places := j.places()
	var args []string
	placed := false
	for _, arg := range o.command {
		args = append(args, places.Replace(arg))
		placed = placed || hasPlace(arg)
	}
	if !placed {
		args = append(args, j.value)
	}
	return args
}

func hasPlace(arg string) bool {
	return slices.ContainsFunc([]string{"{}", "{/}", "{.}", "{#}"}, func(place string) bool { return strings.Contains(arg, place) })
}

func (j job) places() *strings.Replacer {
	return strings.NewReplacer(
		"{}", j.value,
		"{/}", filepath.Base(j.value),
		"{.}", strings.TrimSuffix(j.value, filepath.Ext(j.value)),
		"{#}", strconv.Itoa(j.number),
	)
}

// script is the command as a script, of which the value is the first argument: it
// never becomes part of the script.
func (o *options) script(j job) string {
	script := strings.Join(o.command, " ")
	filled := strings.NewReplacer("{}", `"$1"`, "{#}", strconv.Itoa(j.number)).Replace(script)
	if filled == script && !strings.Contains(script, "$1") {
		filled += ` "$1"`
	}
	return filled
}

// inputs are the values, one after the other. It is safe for any number of
// goroutines.
type inputs struct {
	mu     sync.Mutex
	next   func() (string, bool)
	fail   func() error
	number int
}

func (o *options) inputs(stdin io.Reader) *inputs {
	if o.given {
		values := o.values
		return &inputs{
			next: func() (value string, ok bool) {
				if len(values) == 0 {
					return "", false
				}
				value, values = values[0], values[1:]
				return value, true
			},
			fail: func() error { return nil },
		}
	}
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, 1<<20)
	return &inputs{
		next: func() (string, bool) { ok := lines.Scan(); return lines.Text(), ok },
		fail: lines.Err,
	}
}

// take returns the next job.
func (in *inputs) take() (job, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	value, ok := in.next()
	in.number++
	return job{in.number, value}, ok
}

func (in *inputs) err() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fail()
}
