//go:build unix

package subprocess_test

import (
	"io"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

// versus runs ours and os/exec's by turns and reports ours, and how often ours is
// done in the time of the other: the medians, as a machine that others use makes some
// rounds of either long.
func versus(b *testing.B, ours, peers func() error) {
	timed := func(f func() error) time.Duration {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var us, them []time.Duration
	for b.Loop() {
		if len(us)%2 == 0 { // who comes second has the caches
			us = append(us, timed(ours))
			them = append(them, timed(peers))
		} else {
			them = append(them, timed(peers))
			us = append(us, timed(ours))
		}
	}
	b.ReportMetric(float64(median(us).Nanoseconds()), "ours-ns/op")
	b.ReportMetric(median(them).Seconds()/median(us).Seconds(), "x-os/exec")
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// crowd does something n times at once.
func crowd(n int, do func() error) error {
	var all sync.WaitGroup
	errs := make(chan error, n)
	for range n {
		all.Go(func() { errs <- do() })
	}
	all.Wait()
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// Many commands at once, without output and with it captured. TestThreads counts the
// threads that ours take; os/exec's are as many as there are commands.
//
// What counts is CPU time: a command takes some 137 µs of the program's, os/exec's 158;
// `true` itself 660.
func BenchmarkTrue(b *testing.B) {
	for _, c := range []struct {
		name    string
		n       int
		capture bool
	}{{"1000 null", 1000, false}, {"1000 captured", 1000, true}, {"2000 captured", 2000, true}} {
		b.Run(c.name, func(b *testing.B) {
			cmd := subprocess.Command("true")
			if !c.capture {
				cmd.Stdout, cmd.Stderr = subprocess.Null, subprocess.Null
			}
			cmd.Check = true
			ours := func() error {
				return crowd(c.n, func() error { _, err := subprocess.Run(b.Context(), cmd); return err })
			}
			peers := func() error {
				return crowd(c.n, func() error {
					p := exec.Command("true")
					if c.capture {
						p.Stdout, p.Stderr = new(writeOnly), new(writeOnly)
					}
					return p.Run()
				})
			}
			versus(b, ours, peers)
		})
	}
}

// writeOnly is no *os.File, and has no ReadFrom.
type writeOnly struct{ n int }

func (w *writeOnly) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }

// 1 GiB through a pipe, to a writer.
func BenchmarkGigabyte(b *testing.B) {
	const script = "head -c 1073741824 /dev/zero"
	b.SetBytes(2 << 30)
	versus(b, func() error {
		cmd := subprocess.Shell(script)
		cmd.Stdout = subprocess.Writer(onlyWriter{io.Discard})
		_, err := subprocess.Run(b.Context(), cmd)
		return err
	}, func() error {
		c := exec.Command("/bin/sh", "-c", script)
		c.Stdout = onlyWriter{io.Discard}
		return c.Run()
	})
}

type onlyWriter struct{ io.Writer }

// One command after the other.
func BenchmarkOne(b *testing.B) {
	cmd := subprocess.Command("true")
	versus(b,
		func() error { _, err := subprocess.Run(b.Context(), cmd); return err },
		func() error { _, err := exec.Command("true").CombinedOutput(); return err })
}
