package reactor_test

import (
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

const (
	benchWatches = 5000
	benchKills   = 300 // one by one, before the rest ends at once
)

// watcher is a way to learn of the exits of a crowd.
type watcher struct {
	exits chan time.Time // when each was noticed and reaped
	kill  func(i int) error
}

// ordeal is what became of a crowd that was watched.
type ordeal struct {
	kills   []time.Duration // from the signal to the notice
	drain   time.Duration   // from the end of all others, at once, to the last notice
	threads int             // while all lived
}

func (w watcher) endure(b *testing.B, c *crowd) ordeal {
	b.Helper()
	o := ordeal{threads: threads(b)}
	for i := range benchKills {
		begin := time.Now()
		if err := w.kill(i); err != nil {
			b.Fatal(err)
		}
		o.kills = append(o.kills, (<-w.exits).Sub(begin))
	}
	begin := time.Now()
	c.lifeline.Close()
	var last time.Time
	for range len(c.children) - benchKills {
		last = <-w.exits
	}
	o.drain = last.Sub(begin)
	return o
}

// byReactor watches a crowd with a reactor, and tells the bytes that a watch takes.
func byReactor(b *testing.B, r *reactor.Reactor, c *crowd) (w watcher, bytes float64) {
	b.Helper()
	w.exits = make(chan time.Time, len(c.children))
	deliver := func(reactor.Exit) { w.exits <- time.Now() }
	var watches []*reactor.Watch
	before := heap()
	for _, p := range c.children {
		watch, err := r.Watch(p, deliver)
		if err != nil {
			b.Fatal(err)
		}
		watches = append(watches, watch)
	}
	bytes = float64(heap()-before) / float64(len(c.children))
	c.release(b)
	w.kill = func(i int) error { return watches[i].Signal(unix.SIGKILL) }
	return w, bytes
}

// byBareLoop is the raw limit: a thread in epoll_wait that reaps and closes.
func byBareLoop(b *testing.B, c *crowd) watcher {
	b.Helper()
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	var fds []int
	for _, p := range c.children {
		fd, err := unix.PidfdOpen(p.Pid, 0)
		if err != nil {
			b.Fatal(err)
		}
		fds = append(fds, fd)
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			b.Fatal(err)
		}
	}
	c.release(b)
	w := watcher{exits: make(chan time.Time, len(fds))}
	w.kill = func(i int) error { return unix.PidfdSendSignal(fds[i], unix.SIGKILL, nil, 0) }
	go func() {
		var events [128]unix.EpollEvent
		for left := len(fds); left > 0; {
			n, _ := unix.EpollWait(epfd, events[:], -1)
			for _, e := range events[:max(n, 0)] {
				_ = unix.Waitid(unix.P_PIDFD, int(e.Fd), nil, unix.WEXITED|unix.WNOHANG, nil)
				_ = unix.Close(int(e.Fd))
				w.exits <- time.Now()
				left--
			}
		}
		_ = unix.Close(epfd)
	}()
	return w
}

// byExec starts a crowd by os/exec and has a goroutine in Wait for each.
func byExec(b *testing.B) (watcher, *crowd) {
	b.Helper()
	c := newCrowd(b, 0)
	cmds := make([]*exec.Cmd, benchWatches)
	for i := range cmds {
		cmds[i] = tool(b, "cat")
		cmds[i].Stdin = c.stdin
		if err := cmds[i].Start(); err != nil {
			b.Fatal(err)
		}
		c.children = append(c.children, cmds[i].Process)
	}
	w := watcher{exits: make(chan time.Time, len(cmds))}
	w.kill = func(i int) error { return cmds[i].Process.Kill() }
	for _, cmd := range cmds {
		go func() {
			_ = cmd.Wait()
			w.exits <- time.Now()
		}()
	}
	eventually(b, "all to wait", func() bool { return threads(b) > benchWatches })
	return w, c
}

// BenchmarkWatch watches 5,000 children: by the reactor, beside a bare epoll
// loop in each round and os/exec at the end.
func BenchmarkWatch(b *testing.B) {
	r := open(b, reactor.BackendPidfd)
	var ours, bare []ordeal
	var bytes float64
	for b.Loop() {
		c := newCrowd(b, benchWatches)
		w, n := byReactor(b, r, c)
		bytes = n
		ours = append(ours, w.endure(b, c))

		c = newCrowd(b, benchWatches)
		bare = append(bare, byBareLoop(b, c).endure(b, c))
	}
	w, c := byExec(b)
	execs := []ordeal{w.endure(b, c)}

	report(b, "", ours)
	report(b, "bare_", bare)
	report(b, "exec_", execs)
	b.ReportMetric(bytes, "B/watch")
	b.ReportMetric(drains(ours)/drains(bare), "drain/bare")
	b.ReportMetric(kills(ours, 0.5)/kills(bare, 0.5), "kill_p50/bare")
	b.ReportMetric(0, "ns/op")
}

func report(b *testing.B, who string, all []ordeal) {
	b.ReportMetric(float64(all[0].threads), who+"threads")
	b.ReportMetric(drains(all), who+"drain_ms")
	b.ReportMetric(kills(all, 0.5), who+"kill_p50_µs")
	b.ReportMetric(kills(all, 0.99), who+"kill_p99_µs")
}

// drains returns the median in milliseconds.
func drains(all []ordeal) float64 {
	var d []time.Duration
	for _, o := range all {
		d = append(d, o.drain)
	}
	return quantile(d, 0.5) * 1e3
}

// kills returns a quantile in microseconds.
func kills(all []ordeal, q float64) float64 {
	var d []time.Duration
	for _, o := range all {
		d = append(d, o.kills...)
	}
	return quantile(d, q) * 1e6
}

// quantile is in seconds.
func quantile(d []time.Duration, q float64) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[int(q*float64(len(d)-1))].Seconds()
}

// BenchmarkAddRemove begins a watch and stops it, beside the four system calls
// that this takes at least; and it kills a child that is watched, and waits for the
// notice. All of that takes the same time alone and among 5,000 other watches.
func BenchmarkAddRemove(b *testing.B) {
	for name, others := range map[string]int{"alone": 0, "among 5000": benchWatches} {
		b.Run(name, func(b *testing.B) {
			r := open(b, reactor.BackendPidfd)
			c := newCrowd(b, others)
			crowded, _ := byReactor(b, r, c)
			benchmarkAddRemove(b, r)
			c.lifeline.Close()
			for range others {
				<-crowded.exits
			}
		})
	}
}

func benchmarkAddRemove(b *testing.B, r *reactor.Reactor) {
	p := start(b, tool(b, "sleep", "1000"))
	defer endProcess(b, p)
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(epfd)
	var ours, bare time.Duration
	var exits []time.Duration
	for b.Loop() {
		begin := time.Now()
		w, err := r.WatchPID(p.Pid, func(reactor.Exit) {})
		if err != nil {
			b.Fatal(err)
		}
		w.Stop()
		ours += time.Since(begin)

		begin = time.Now()
		fd, err := unix.PidfdOpen(p.Pid, 0)
		if err != nil {
			b.Fatal(err)
		}
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)}
		err1 := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &event)
		err2 := unix.EpollCtl(epfd, unix.EPOLL_CTL_DEL, fd, nil)
		if err1 != nil || err2 != nil || unix.Close(fd) != nil {
			b.Fatal(err1, err2)
		}
		bare += time.Since(begin)
		if len(exits) < benchKills {
			exits = append(exits, exitNoticed(b, r))
		}
	}
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/op")
	b.ReportMetric(float64(ours)/float64(bare), "bare")
	b.ReportMetric(quantile(exits, 0.5)*1e6, "exit_p50_µs")
}

// exitNoticed is how long it takes from a kill to the notice of the exit.
func exitNoticed(b *testing.B, r *reactor.Reactor) time.Duration {
	b.Helper()
	noticed := make(chan time.Time, 1)
	w, err := r.Watch(start(b, tool(b, "sleep", "1000")), func(reactor.Exit) { noticed <- time.Now() })
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if err := w.Signal(unix.SIGKILL); err != nil {
		b.Fatal(err)
	}
	return (<-noticed).Sub(begin)
}

// BenchmarkIdle counts the wake-ups of 10 s with 100 watches in which nothing
// happens.
func BenchmarkIdle(b *testing.B) {
	r := open(b, reactor.BackendPidfd)
	c := newCrowd(b, 100)
	w, _ := byReactor(b, r, c)
	var wakeups uint64
	for b.Loop() {
		before := r.Stats().Wakeups
		<-time.After(10 * time.Second)
		wakeups += r.Stats().Wakeups - before
	}
	b.ReportMetric(float64(wakeups)/float64(b.N), "wakeups/10s")
	c.lifeline.Close()
	for range c.children {
		<-w.exits
	}
}
