package leaktest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A verdict is how a helper's run must end.
type verdict struct {
	helper string
	code   int
	report []string // substrings of its standard error; none: it must be silent
}

// verdicts runs each helper in a process of its own. What a helper leaves
// running reads its standard input, which ends with the test.
func verdicts(t *testing.T, wanted []verdict) {
	t.Helper()
	for _, v := range wanted {
		t.Run(v.helper, func(t *testing.T) {
			code, report := runHelper(t, v.helper)
			if code != v.code {
				t.Errorf("exit code %d, want %d; report:\n%s", code, v.code, report)
			}
			for _, part := range v.report {
				if !strings.Contains(report, part) {
					t.Errorf("the report does not tell %q:\n%s", part, report)
				}
			}
			if len(v.report) == 0 && report != "" {
				t.Errorf("a report without a leak:\n%s", report)
			}
		})
	}
}

func runHelper(t *testing.T, name string) (code int, report string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lifeline, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), helperVariable+"="+name)
	cmd.Stdin, cmd.Stderr = lifeline, &stderr
	err = cmd.Run()
	_ = lifeline.Close()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// idle is what a process does that is left behind: nothing, until its standard
// input ends.
func idle() int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
