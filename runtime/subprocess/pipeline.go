package subprocess

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

// Pipeline runs commands at once, each one's standard output being the next one's
// input, and returns every stage's Result. What flows between them does not pass
// through this program.
//
// The shortest Timeout of a stage is the limit of each. When the context ends, or a
// stage cannot be started, all are killed. A stage that ends by itself is seen by
// its neighbours alone: the one before it gets SIGPIPE or EPIPE, the one after it
// the end of its input.
//
// The error is a [*PipelineError] with what Run would have said of the last stage
// that failed. A stage that died of SIGPIPE, because the next one needed no more,
// has not failed.
func Pipeline(ctx context.Context, stages ...Cmd) ([]Result, error) {
	cmds, err := prepareStages(stages)
	if err != nil {
		return nil, err
	}
	line, startErr := startStages(ctx, cmds)
	if startErr != nil {
		for _, p := range line {
			p.KillTree(0)
		}
	}
	stop := context.AfterFunc(ctx, func() {
		for _, p := range line {
			p.cancel(ctx)
		}
	})
	defer stop()
	results := make([]Result, len(cmds))
	for i, cmd := range cmds {
		results[i].Args = cmd.Args
	}
	for i, p := range line {
		<-p.finished
		results[i] = p.result()
	}
	if startErr != nil {
		return results, startErr
	}
	return results, lastFailure(line)
}

// prepareStages checks the stages and gives them their defaults.
func prepareStages(stages []Cmd) ([]Cmd, error) {
	if len(stages) == 0 {
		return nil, &ConfigError{"Args", "the pipeline has no stages"}
	}
	var limit time.Duration
	cmds := make([]Cmd, len(stages))
	for i, cmd := range stages {
		err := checkEnds(cmd, i == 0, i == len(stages)-1)
		if err == nil {
			cmds[i], err = cmd.withDefaults()
		}
		if err != nil {
			return nil, &PipelineError{i, err}
		}
		if t := cmd.Timeout; t > 0 && (limit == 0 || t < limit) {
			limit = t
		}
	}
	for i := range cmds {
		cmds[i].Timeout = limit
	}
	return cmds, nil
}

// checkEnds refuses streams that are the pipeline's, and Pipes.
func checkEnds(cmd Cmd, first, last bool) error {
	const taken = "in a pipeline it is the %s stage's"
	switch name := pipeOf(cmd); {
	case name != "":
		return &ConfigError{name, "a pipeline has nobody to use a Pipe"}
	case !first && cmd.Stdin != nil:
		return &ConfigError{"Stdin", fmt.Sprintf(taken, "previous")}
	case !last && cmd.Stdout != nil:
		return &ConfigError{"Stdout", fmt.Sprintf(taken, "next")}
	}
	return nil
}

// startStages returns the stages that run, and why there are not more.
func startStages(ctx context.Context, cmds []Cmd) (line []*Process, err error) {
	var read, write, next *os.File // read is of the pipe from the previous stage
	for i, cmd := range cmds {
		if read != nil {
			cmd.Stdin = handed{read}
		}
		if next, write = nil, nil; i < len(cmds)-1 {
			if next, write, err = os.Pipe(); err != nil {
				closeFile(read)
				return line, &PipelineError{i, &StartError{Args: cmd.Args, Err: err}}
			}
			cmd.Stdout = handed{write}
		}
		p, err := start(ctx, cmd)
		if err != nil {
			closeFile(next)
			return line, &PipelineError{i, err}
		}
		line, read = append(line, p), next
	}
	return line, nil
}

// lastFailure returns the error of the last stage that failed.
func lastFailure(line []*Process) error {
	for i := len(line) - 1; i >= 0; i-- {
		exit := line[i].report.Exit
		if i < len(line)-1 && exit.Kind == reactor.Signalled && exit.Signal == syscall.SIGPIPE {
			continue
		}
		if err := line[i].verdict(); err != nil {
			return &PipelineError{i, err}
		}
	}
	return nil
}
