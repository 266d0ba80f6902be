package reactor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

func TestAlarm(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("rings once, not before its time", func(t *testing.T) {
			a, rings := alarm(r)
			at := time.Now().Add(5 * time.Millisecond)
			a.Set(at)
			if rung := next(t, rings); rung.Before(at) {
				t.Errorf("it rang %v too early", at.Sub(rung))
			}
			afterAnother(t, r)
			if len(rings) != 0 {
				t.Error("it rang twice")
			}
		})
		t.Run("a time that has passed", func(t *testing.T) {
			a, rings := alarm(r)
			a.Set(time.Now().Add(-time.Hour))
			next(t, rings)
			a.Set(time.Time{})
			next(t, rings)
		})
		t.Run("a later setting replaces the earlier one", func(t *testing.T) {
			a, rings := alarm(r)
			a.Set(time.Now().Add(time.Hour))
			a.Set(time.Now().Add(time.Millisecond))
			next(t, rings)
			at := time.Now().Add(400 * time.Millisecond)
			a.Set(time.Now().Add(200 * time.Millisecond))
			a.Set(at)
			if rung := next(t, rings); rung.Before(at) {
				t.Errorf("it rang %v before the time that it was set to last", at.Sub(rung))
			}
		})
		t.Run("stopped", func(t *testing.T) {
			a, rings := alarm(r)
			a.Stop() // not set: nothing
			untilUndisturbed(t, func() bool {
				at := time.Now().Add(10 * time.Millisecond)
				a.Set(at)
				a.Stop()
				if !time.Now().Before(at) {
					return false
				}
				for len(rings) > 0 {
					<-rings // of a round before
				}
				afterAnother(t, r)
				if len(rings) != 0 {
					t.Error("it rang after Stop")
				}
				return true
			})
		})
		t.Run("many, in the order of their times", func(t *testing.T) {
			const n = 50
			now, order := time.Now(), make(chan int, n)
			for i := range n {
				i = (i * 7) % n
				r.NewAlarm(func() { order <- i }).Set(now.Add(time.Duration(1+i) * 2 * time.Millisecond))
			}
			var got []int
			for range n {
				got = append(got, next(t, order))
			}
			if late := n - countAscending(got); late > n/2 { // a busy machine may swap neighbours
				t.Errorf("they rang in the order %v", got)
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != n {
				t.Errorf("one of them rang twice: %v", got)
			}
		})
		t.Run("exits come as ever while alarms ring", func(t *testing.T) {
			stop := make(chan struct{})
			var a *reactor.Alarm
			a = r.NewAlarm(func() {
				select {
				case <-stop:
				default:
					a.Set(time.Now().Add(100 * time.Microsecond))
				}
			})
			a.Set(time.Now())
			for range 5 {
				watch(t, r, helper("exit", "0")).exit()
			}
			close(stop)
			a.Stop()
		})
	})
}

func TestAlarmAfterClose(t *testing.T) {
	for _, b := range backends() {
		r, err := reactor.New(reactor.Config{Backend: b})
		if err != nil {
			t.Fatal(err)
		}
		set, rings := alarm(r)
		set.Set(time.Now().Add(time.Hour))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		set.Stop()
		set.Set(time.Now())
		set.Stop()
		other := open(t, b)
		afterAnother(t, other)
		if len(rings) != 0 {
			t.Errorf("%v: an alarm rang after Close", b)
		}
	}
}

// alarm makes an alarm and tells when it rings.
func alarm(r *reactor.Reactor) (*reactor.Alarm, chan time.Time) {
	rings := make(chan time.Time, 10)
	return r.NewAlarm(func() { rings <- time.Now() }), rings
}

// afterAnother returns when an alarm of 30 ms from now has rung: one that should
// not ring had its chance.
func afterAnother(t *testing.T, r *reactor.Reactor) {
	t.Helper()
	a, rings := alarm(r)
	a.Set(time.Now().Add(30 * time.Millisecond))
	next(t, rings)
}

func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("the alarm does not ring")
		panic("unreachable")
	}
}

func countAscending(values []int) (n int) {
	for i := range values {
		if i == 0 || values[i] > values[i-1] {
			n++
		}
	}
	return n
}

// BenchmarkAlarm is how late an alarm rings, and how late a timer of Go's, when
// nothing else runs.
func BenchmarkAlarm(b *testing.B) {
	r := open(b, reactor.BackendAuto)
	a, rings := alarm(r)
	var ours, gos []time.Duration
	for i := 0; b.Loop(); i++ {
		for range 20 {
			in := 2*time.Millisecond + time.Duration(i%10)*100*time.Microsecond
			at := time.Now().Add(in)
			a.Set(at)
			ours = append(ours, (<-rings).Sub(at))
			at = time.Now().Add(in)
			time.AfterFunc(in, func() { rings <- time.Now() })
			gos = append(gos, (<-rings).Sub(at))
		}
	}
	late := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2].Microseconds())
	}
	b.ReportMetric(late(ours), "late-p50-µs")
	b.ReportMetric(late(gos), "go-late-p50-µs")
	b.ReportMetric(0, "ns/op")
}
