package pool_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestPriority: what waits begins in the order of priority.
func TestPriority(t *testing.T) {
	overKinds(t, "higher first, first in first out within one", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		log := newOrderLog(t)
		for i := range 3 {
			for _, priority := range []int{0, -1, 7, math.MaxInt, math.MinInt} {
				log.submit(p, fmt.Sprint(priority, " ", i), pool.WithPriority(priority))
			}
		}
		log.submit(p, "0 by default")
		g.open()
		log.expect("9223372036854775807 0", "9223372036854775807 1", "9223372036854775807 2", "7 0", "7 1", "7 2",
			"0 0", "0 1", "0 2", "0 by default", "-1 0", "-1 1", "-1 2", "-9223372036854775808 0", "-9223372036854775808 1", "-9223372036854775808 2")
	})

	overKinds(t, "as many priorities as tasks", func(t *testing.T, open opener) {
		const n = 1000
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		log := newOrderLog(t)
		var want []string
		for i := range n {
			priority := i * 7919 % n // each once, in no order
			log.submit(p, fmt.Sprintf("%04d", priority), pool.WithPriority(priority))
			want = append(want, fmt.Sprintf("%04d", n-1-i))
		}
		g.open()
		log.expect(want...)
	})

	overKinds(t, "what was sent ahead behind a long task is overtaken all the same", func(t *testing.T, open opener) {
		const low = 40
		p, g, behind, log := open(t, pool.Config{Workers: 1}), newGate(t), newGate(t), newOrderLog(t)
		short := submit(t, p, 2000) // while they run, the others are accepted, and sent after them
		held := hold.Submit(t.Context(), p, g.address())
		for range low {
			log.submitBehind(behind, p, "low")
		}
		g.holds(t, 1)
		log.submitBehind(behind, p, "high", pool.WithPriority(1))
		time.Sleep(10 * time.Millisecond) // it is a long one
		g.open()
		value(t, held)
		doubled(t, short)
		eventually(t, "what was sent ahead is back in the queue", func() bool { return p.Stats().Running == 1 })
		behind.open()
		if i := slices.Index(log.read(), "high"); i < 0 || i > 1 {
			t.Errorf("it came after %d of %d", i, low)
		}
	})

	overKinds(t, "the next in order takes the place of one that is cancelled", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		log := newOrderLog(t)
		high := log.submit(p, "high", pool.WithPriority(2))
		log.submit(p, "low", pool.WithPriority(-1))
		middle := log.submit(p, "middle", pool.WithPriority(1))
		log.submit(p, "plain")
		if !high.Cancel() || !middle.Cancel() {
			t.Fatal("they are not cancelled")
		}
		log.submit(p, "high again", pool.WithPriority(2))
		g.open()
		log.expect("high again", "plain", "low")
	})
}

// TestNamedQueues: within one priority the workers are shared evenly between the
// queues in which something waits.
func TestNamedQueues(t *testing.T) {
	overKinds(t, "one worker takes turns", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		log := newOrderLog(t)
		for i := range 4 {
			log.submit(p, fmt.Sprint("a", i), pool.WithQueue("a"))
		}
		for i := range 2 {
			log.submit(p, fmt.Sprint("b", i), pool.WithQueue("b"))
		}
		g.open()
		log.expect("a0", "b0", "a1", "b1", "a2", "a3")
	})

	overKinds(t, "priority goes before turn", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		log := newOrderLog(t)
		for i := range 2 {
			log.submit(p, fmt.Sprint("a", i), pool.WithQueue("a"))
			log.submit(p, fmt.Sprint("b", i), pool.WithQueue("b"), pool.WithPriority(1))
		}
		g.open()
		log.expect("b0", "b1", "a0", "a1")
	})

	overKinds(t, "workers are shared evenly, whoever came first and with how much", func(t *testing.T, open opener) {
		p, held, _ := saturate(t, open, pool.Config{Workers: 6})
		gates, names := []*gate{newGate(t), newGate(t), newGate(t)}, []string{"many", "few", ""}
		var fs []*future
		for i, n := range []int{300, 6, 6} {
			for range n {
				fs = append(fs, hold.Submit(t.Context(), p, gates[i].address(), pool.WithQueue(names[i])))
			}
		}
		held.open()
		for _, g := range gates {
			g.holds(t, 2)
		}
		gates[1].open() // its workers go to the others once nothing waits there
		gates[0].holds(t, 3)
		gates[2].holds(t, 3)
		gates[0].open()
		gates[2].holds(t, 6) // when nothing waits there either
		gates[2].open()
		for _, f := range fs {
			value(t, f)
		}
	})

	overKinds(t, "short tasks keep their workers beside long ones", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 4}), newGate(t)
		doubled(t, submit(t, p, 2000)) // so that short tasks are sent ahead
		var long []*future
		for range 8 {
			long = append(long, hold.Submit(t.Context(), p, g.address(), pool.WithQueue("long")))
		}
		g.holds(t, 4) // nothing else waits
		short := make([]*futures.Future[int], 5000)
		for i := range short {
			short[i] = double.Submit(t.Context(), p, i, pool.WithQueue("short"))
		}
		long[0].Kill()
		doubled(t, short) // by one worker: those that wait of the long ones do not get it
		g.open()
		for _, f := range long[1:] {
			value(t, f)
		}
	})
}

// orderLog tells in which order tasks ran.
type orderLog struct {
	t    *testing.T
	file string
	fs   []*future
}

func newOrderLog(t *testing.T) *orderLog {
	return &orderLog{t: t, file: filepath.Join(t.TempDir(), "order")}
}

// submit submits a task that notes its name.
func (l *orderLog) submit(p pool.Pool, name string, options ...pool.Option) *future {
	f := appendLine.Submit(l.t.Context(), p, appendTo{l.file, name}, options...)
	l.fs = append(l.fs, f)
	return f
}

// submitBehind is submit for a task that passes a gate first.
func (l *orderLog) submitBehind(g *gate, p pool.Pool, name string, options ...pool.Option) {
	l.fs = append(l.fs, appendBehind.Submit(l.t.Context(), p, behind{g.address(), appendTo{l.file, name}}, options...))
}

type behind struct {
	Gate string
	To   appendTo
}

var appendBehind = pool.NewTask("appendBehind", func(ctx context.Context, b behind) (none, error) {
	if err := pass(ctx, b.Gate); err != nil {
		return none{}, err
	}
	return none{}, appendToFile(b.To.File, b.To.Line)
})

// read waits for all tasks and returns their names.
func (l *orderLog) read() []string {
	l.t.Helper()
	for _, f := range l.fs {
		awaitSettled(l.t, f)
	}
	return lines(l.t, l.file)
}

// expect reads what was not cancelled.
func (l *orderLog) expect(names ...string) {
	l.t.Helper()
	if got := l.read(); !slices.Equal(got, names) {
		l.t.Errorf("the order is %q, want %q", got, names)
	}
}
