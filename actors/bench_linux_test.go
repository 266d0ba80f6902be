package actors_test

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
)

// settle is the time that a started program gets to come to rest, so that what
// is measured is its end and not the rest of its start.
const settle = 3 * time.Millisecond

// rawSleeper starts a sleeper and returns its pid and pidfd.
func rawSleeper(b *testing.B) (pid, pidfd int) {
	b.Helper()
	pidfd = -1
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Setpgid: true, PidFD: &pidfd},
	})
	if err != nil {
		b.Fatal(err)
	}
	pid = p.Pid // Release sets it to -1, which to kill(2) means every process
	if err := p.Release(); err != nil {
		b.Fatal(err)
	}
	return pid, pidfd
}

// rawKill is the least that an end can take: a signal by the pidfd and a thread
// that waits in waitid.
func rawKill(b *testing.B) time.Duration {
	b.Helper()
	_, pidfd := rawSleeper(b)
	defer unix.Close(pidfd)
	time.Sleep(settle)
	begin := time.Now()
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil {
		b.Fatal(err)
	}
	for {
		err := unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED, nil)
		if err == nil {
			return time.Since(begin)
		}
		if err != unix.EINTR {
			b.Fatal(err)
		}
	}
}

// BenchmarkKill measures from Kill at once to Owner.Exited, and to the moment in
// which the replacement runs, beside a bare kill and wait in the same run.
func BenchmarkKill(b *testing.B) {
	type end struct {
		at     time.Time
		report actors.Report
	}
	ends := make(chan end, 10)
	starts := make(chan *actors.Process, 10)
	s := newSystem(b)
	_, err := s.Supervise(actors.Supervision{
		Name: "bench", Workers: 1, DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) { p.Ready(); starts <- p }
			w.onExited = func(r actors.Report) { ends <- end{time.Now(), r} }
			return sleeper(), w, nil
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	var raw, told, replaced []time.Duration
	p := <-starts
	for b.Loop() {
		raw = append(raw, rawKill(b))
		time.Sleep(settle)
		begin := time.Now()
		p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseDeadline})
		e := <-ends
		if e.report.PID != p.PID() || e.report.Cause.Kind != actors.CauseDeadline {
			b.Fatalf("%+v", e.report)
		}
		p = <-starts
		told = append(told, e.at.Sub(begin))
		replaced = append(replaced, time.Since(begin))
	}
	report(b, "raw", raw)
	report(b, "told", told)
	report(b, "replaced", replaced)
	b.ReportMetric(float64(quantile(told, 0.5))/float64(quantile(raw, 0.5)), "told/raw")
}

// BenchmarkStart measures from Resize to Owner.Started, beside a bare start in
// the same run.
func BenchmarkStart(b *testing.B) {
	s := newSystem(b)
	var raw, ours []time.Duration
	for b.Loop() {
		begin := time.Now()
		pid, pidfd := rawSleeper(b)
		raw = append(raw, time.Since(begin))
		sendSignal(b, pid, syscall.SIGKILL)
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			b.Fatal(err)
		}
		if err := unix.Close(pidfd); err != nil {
			b.Fatal(err)
		}

		c := newCrew(sleeper())
		v, err := s.Supervise(actors.Supervision{Name: "bench", Prepare: c.prepare, DrainTimeout: -1})
		if err != nil {
			b.Fatal(err)
		}
		begin = time.Now()
		v.Resize(1)
		<-c.started
		ours = append(ours, time.Since(begin))
		v.Stop(actors.Ladder{}, actors.Cause{})
		<-v.Done()
	}
	report(b, "raw", raw)
	report(b, "ours", ours)
	b.ReportMetric(float64(quantile(ours, 0.5))/float64(quantile(raw, 0.5)), "ours/raw")
}

func quantile(d []time.Duration, q float64) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[int(q*float64(len(d)-1))]
}

func report(b *testing.B, name string, d []time.Duration) {
	b.ReportMetric(float64(quantile(d, 0.5).Nanoseconds())/1e3, name+"_p50_µs")
	b.ReportMetric(float64(quantile(d, 0.99).Nanoseconds())/1e3, name+"_p99_µs")
	b.ReportMetric(0, "ns/op")
}
