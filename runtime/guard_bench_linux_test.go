package runtime_test

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime"
)

// BenchmarkGuard is the start of a host's first worker, with the guard's and without;
// and what the guard has resident, of which most is the program's own text.
func BenchmarkGuard(b *testing.B) {
	for _, without := range []bool{true, false} {
		b.Run(map[bool]string{true: "without", false: "with"}[without], func(b *testing.B) {
			var kib int
			for b.Loop() {
				h, err := runtime.Start(runtime.Config{NoGuard: without, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				f := settle(b, h)
				b.StopTimer()
				for _, pid := range guards(b, os.Getpid()) {
					kib = max(kib, resident(pid))
				}
				f.in.Close()
				if err := h.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(kib), "guard-KiB")
		})
	}
}

// resident returns what a process has resident of its own, in KiB.
func resident(pid int) (kib int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(text), "RssAnon:")
	_, _ = fmt.Sscan(after, &kib)
	return kib
}
