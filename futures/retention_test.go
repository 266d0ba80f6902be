package futures_test

import (
	"context"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stint-go/stint/futures"
)

func TestSettledFutureLetsItsControlGo(t *testing.T) {
	for _, settling := range settlings {
		t.Run(settling.name, func(t *testing.T) {
			j := new(job)
			p, f := futures.New[int](j)
			w := weak.Make(j)
			settling.do(p)
			runtime.GC()
			if w.Value() != nil {
				t.Error("the control is still held")
			}
			runtime.KeepAlive(f)
			runtime.KeepAlive(p)
		})
	}
}

func TestCallbackIsLetGoOnceItHasRun(t *testing.T) {
	p, f := futures.New[int](nil)
	held := new([64]int)
	w := weak.Make(held)
	blocked, release := make(chan struct{}), make(chan struct{})
	f.OnDone(func(*futures.Future[int]) { held[0] = 1 })
	f.OnDone(func(*futures.Future[int]) { close(blocked); <-release })
	p.Succeed(1)
	<-blocked
	runtime.GC()
	if w.Value() != nil {
		t.Error("it is held until the last has run")
	}
	close(release)
}

// PY-AC-5: a future that was yielded is garbage if the caller lets it go, also
// while the range goes on.
func TestYieldedFuturesAreNotRetained(t *testing.T) {
	last, lastFuture := futures.New[int](nil) // keeps the range going
	yielded := 0
	for f := range futures.AsCompleted(t.Context(), append(settling(8), lastFuture)) {
		if yielded++; f == lastFuture {
			break
		}
		w := weak.Make(f)
		f = nil
		for deadline := time.Now().Add(5 * time.Second); w.Value() != nil; runtime.GC() {
			if time.Now().After(deadline) { // whoever settled it had time to be on its way
				t.Fatalf("the future that was yielded as number %d is retained", yielded)
			}
		}
		if yielded == 8 {
			last.Succeed(1)
		}
	}
	if yielded != 9 {
		t.Errorf("%d futures were yielded", yielded)
	}
}

// settling returns n futures to which nobody else refers. Half of them have
// settled, the others are about to.
func settling(n int) []*futures.Future[int] {
	ps, fs := pending(n)
	for _, p := range ps[:n/2] {
		p.Succeed(1)
	}
	go func() {
		for _, p := range ps[n/2:] {
			p.Succeed(1)
		}
	}()
	return fs
}

// A future that stays pending does not grow, however often and in whatever way it
// is looked at and left.
func TestLongPendingFutureDoesNotGrow(t *testing.T) {
	_, long := futures.New[int](nil)
	fs := []*futures.Future[int]{long, futures.FromValue(1)}
	past := expired(t)
	for name, look := range map[string]func(){
		"break": func() {
			for range futures.AsCompleted(t.Context(), fs) {
				break
			}
		},
		"panic": func() {
			defer func() { _ = recover() }()
			for range futures.AsCompleted(t.Context(), fs) {
				panic("in the body")
			}
		},
		"ctx ended": func() {
			for range futures.AsCompleted(past, fs) {
			}
		},
		"Wait":           func() { _, _, _ = futures.Wait(t.Context(), fs, futures.FirstCompleted) },
		"Wait, expired":  func() { _, _, _ = futures.Wait(past, fs, futures.AllCompleted) },
		"Result expired": func() { _, _ = long.Result(past) },
		"Result cancelled": func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Microsecond, cancel)
			_, _ = long.Result(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			const looks = 3_000
			look()
			before := liveBytes()
			for range looks {
				look()
			}
			// One observer left behind a look would be 40 bytes at the least.
			if grown := int64(liveBytes()) - int64(before); grown > 20*looks {
				t.Errorf("grew by %d bytes in %d looks", grown, looks)
			}
			runtime.KeepAlive(long)
		})
	}
}

// liveBytes is the size of the live heap.
func liveBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
