package pool_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/stint-go/stint/pool"
)

func TestMapEnds(t *testing.T) {
	overKinds(t, "PY-E-6 an infinite input works, and breaking out of the loop ends it", func(t *testing.T, open opener) {
		p, taken, got := open(t, pool.Config{Workers: 2}), 0, 0
		for out, err := range double.Map(patient(t), p, endless(&taken), pool.WithWindow(8)) {
			if err != nil || out != 2*got {
				t.Fatalf("result %d is %d, %v", got, out, err)
			}
			if got++; got == 1000 {
				break
			}
		}
		if taken > 1000+8 {
			t.Errorf("%d items were read for %d results", taken, got)
		}
	})
	overKinds(t, "PY-E-7 an unread map reads no more than its window", func(t *testing.T, open opener) {
		p, taken := open(t, pool.Config{Workers: 2}), 0
		m := double.Map(patient(t), p, endless(&taken), pool.WithWindow(8), pool.WithChunkSize(3))
		if taken > 0 {
			t.Errorf("%d items were read before the first was asked for", taken)
		}
		next, stop := iter.Pull2(m)
		defer stop()
		for i := range 50 {
			next()
			if taken > i+8 {
				t.Fatalf("%d items were read after %d results", taken, i+1)
			}
		}
	})
	overKinds(t, "PB-7 breaking out cancels every item that has not begun", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		addresses := func(yield func(string) bool) {
			if yield("") {
				for yield(g.address()) {
				}
			}
		}
		for range passOrEcho.Map(patient(t), p, addresses, pool.WithWindow(20), pool.WithChunkSize(1)) {
			break
		}
		eventually(t, "no item waits any more", func() bool { s := p.Stats(); return s.Queued == 0 && s.Running <= 1 })
		g.open()
		eventually(t, "all is settled", func() bool { s := p.Stats(); return s.Settled() == s.Submitted })
		if s := p.Stats(); s.Succeeded > 2 || s.Succeeded+s.Cancelled != s.Submitted {
			t.Errorf("%+v", s)
		}
	})
	overKinds(t, "PY-E-4 PY-E-11 when its context ends the map yields one error, and the rest is cancelled", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		addresses := slices.Values([]string{"", "", g.address(), g.address(), g.address()})
		results := 0
		before, e := lastError[*pool.MapError](t, func(yield func(string, error) bool) {
			for out, err := range passOrEcho.Map(ctx, p, addresses) {
				if results++; results == 2 {
					go func() {
						g.holds(t, 1)
						cancel(errTest)
					}()
				}
				if !yield(out, err) {
					return
				}
			}
		})
		if before != 2 || e.Yielded != 2 || e.Unfinished != 3 || !errors.Is(e, errTest) {
			t.Errorf("%d results, then %+v", before, e)
		}
		eventually(t, "all is settled", func() bool { s := p.Stats(); return s.Settled() == s.Submitted })
		if s := p.Stats(); s.Succeeded != 2 {
			t.Errorf("%+v", s)
		}
	})
	overKinds(t, "PY-E-11 under a context that has ended nothing begins", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		before, e := lastError[*pool.MapError](t, double.Map(expired(t), p, numbers(100)))
		if s := p.Stats(); before != 0 || !errors.Is(e, context.DeadlineExceeded) || s.Succeeded != 0 {
			t.Errorf("%d results, then %+v; %+v", before, e, s)
		}
	})
	overKinds(t, "PY-MPP-7 large errors of many items", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		large := strings.Repeat("x", 1<<20)
		all := collect(fail.Map(patient(t), p, slices.Values(slices.Repeat([]string{large}, 30))))
		for _, o := range all {
			if o.err == nil {
				t.Error("it succeeded")
			}
		}
		if len(all) != 30 {
			t.Errorf("%d results", len(all))
		}
	})
}

func TestMapsRetainNothing(t *testing.T) {
	overKinds(t, "PY-E-9 PY-E-10 PY-MPP-8 of items that are over", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		var arguments []weak.Pointer[parcel]
		parcels := func(yield func(*parcel) bool) {
			for range 6 {
				argument := &parcel{make([]byte, 1000)}
				arguments = append(arguments, weak.Make(argument))
				if !yield(argument) {
					return
				}
			}
		}
		var result weak.Pointer[parcel]
		for out, err := range returnParcel.Map(patient(t), p, parcels, pool.WithChunkSize(2), pool.WithWindow(4)) {
			switch {
			case err != nil:
				t.Fatal(err)
			case result == weak.Pointer[parcel]{}:
				result = weak.Make(out)
				continue
			}
			collected(t, result)
			collected(t, arguments[0])
			break
		}
		runtime.KeepAlive(p)
	})
}

var returnParcel = pool.NewTask("returnParcel", func(_ context.Context, p *parcel) (*parcel, error) { return p, nil })
