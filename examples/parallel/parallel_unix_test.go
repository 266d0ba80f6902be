//go:build unix

package main

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"parallel": main}) }

func TestScripts(t *testing.T) { testscript.Run(t, testscript.Params{Dir: "testdata"}) }

// A run that is interrupted kills what runs, and does not log it.
func TestInterrupt(t *testing.T) {
	o, err := parseOptions([]string{"sleep", ":::", "1000"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var output bytes.Buffer
	if _, err := run(ctx, o, o.inputs(nil), &output, &output); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("%v", err)
	}
}

// BenchmarkTrue runs 1,000 jobs of true, and xargs with a shell for each, by turns.
func BenchmarkTrue(b *testing.B) {
	const n, slots = 1000, "4"
	input := strings.Repeat("x\n", n)
	o, err := parseOptions([]string{"-j", slots, "true"}, &bytes.Buffer{})
	if err != nil {
		b.Fatal(err)
	}
	var ours, xargs time.Duration
	for b.Loop() {
		begun := time.Now()
		if code, err := run(context.Background(), o, o.inputs(strings.NewReader(input)), &bytes.Buffer{}, &bytes.Buffer{}); code != 0 || err != nil {
			b.Fatal(code, err)
		}
		between := time.Now()
		cmd := exec.Command("xargs", "-P", slots, "-n", "1", "sh", "-c", "true")
		cmd.Stdin = strings.NewReader(input)
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		ours += between.Sub(begun)
		xargs += time.Since(between)
	}
	b.ReportMetric(n*float64(b.N)/ours.Seconds(), "jobs/s")
	b.ReportMetric(xargs.Seconds()/ours.Seconds(), "x-xargs")
}
