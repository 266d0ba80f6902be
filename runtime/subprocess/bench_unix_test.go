//go:build unix

package subprocess_test

import (
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

// versus runs ours and os/exec's by turns and reports ours, and how often ours is
// done in the time of the other.
func versus(b *testing.B, ours, peers func() error) {
	var us, them time.Duration
	timed := func(sum *time.Duration, f func() error) {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*sum += time.Since(start)
	}
	for b.Loop() {
		timed(&us, ours)
		timed(&them, peers)
	}
	b.ReportMetric(float64(us.Nanoseconds())/float64(b.N), "ours-ns/op")
	b.ReportMetric(them.Seconds()/us.Seconds(), "x-os/exec")
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

// 1,000 commands at once, without output and with it captured.
func BenchmarkTrue(b *testing.B) {
	for name, capture := range map[string]bool{"null": false, "captured": true} {
		b.Run(name, func(b *testing.B) {
			cmd := subprocess.Command("true")
			if !capture {
				cmd.Stdout, cmd.Stderr = subprocess.Null, subprocess.Null
			}
			cmd.Check = true
			ours := func() error {
				return crowd(1000, func() error { _, err := subprocess.Run(b.Context(), cmd); return err })
			}
			peers := func() error {
				return crowd(1000, func() error {
					c := exec.Command("true")
					if capture {
						c.Stdout, c.Stderr = new(writeOnly), new(writeOnly)
					}
					return c.Run()
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
