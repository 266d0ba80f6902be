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

// BenchmarkTrue runs jobs of true beside xargs with a shell for each.
func BenchmarkTrue(b *testing.B) {
	b.Run("parallel", func(b *testing.B) {
		o, err := parseOptions([]string{"-j", "2", "true"}, &bytes.Buffer{})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if code, err := run(context.Background(), o, o.inputs(strings.NewReader(thousand)), &bytes.Buffer{}, &bytes.Buffer{}); code != 0 || err != nil {
				b.Fatal(code, err)
			}
		}
		b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	})
	b.Run("xargs", func(b *testing.B) {
		for b.Loop() {
			cmd := exec.Command("xargs", "-P", "2", "-n", "1", "sh", "-c", "true")
			cmd.Stdin = strings.NewReader(thousand)
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	})
}

var thousand = strings.Repeat("x\n", 1000)
