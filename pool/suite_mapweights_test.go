package pool_test

import (
	"context"
	"iter"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/stint-go/stint/pool"
)

func TestMapWeights(t *testing.T) {
	overKinds(t, "the heaviest items begin first, and results keep the input's order", func(t *testing.T, open opener) {
		p, weights := open(t, pool.Config{Workers: 1}), []float64{3, 1, 4, 1, 5, 9, 2, 6}
		log := t.TempDir() + "/log"
		in := func(yield func(jotting) bool) {
			for n := 0; n < len(weights) && yield(jotting{log, n}); n++ {
			}
		}
		got := values(t, jot.Map(patient(t), p, in, pool.WithWeights(weights)))
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("results %v", got)
		}
		if begun := lines(t, log); !slices.Equal(begun, []string{"5", "7", "4", "2", "0", "6", "1", "3"}) {
			t.Errorf("begun in the order %v", begun)
		}
		unordered := values(t, jot.MapUnordered(patient(t), p, in, pool.WithWeights(weights)))
		if !slices.Equal(unordered, []int{5, 7, 4, 2, 0, 6, 1, 3}) {
			t.Errorf("unordered results %v", unordered)
		}
	})
	overKinds(t, "an error names the item's place in the input", func(t *testing.T, open opener) {
		all := collect(choosy.Map(patient(t), open(t, pool.Config{Workers: 2}), numbers(4), pool.WithWeights([]float64{1, 2, 3, 4})))
		for i, o := range all {
			if odd := i%2 == 1; odd != (o.err != nil) {
				t.Errorf("item %d: %+v", i, o)
			}
		}
		if len(all) != 4 {
			t.Errorf("%d results", len(all))
		}
	})
	overKinds(t, "weights that cannot be are one ConfigError", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for name, m := range map[string]iter.Seq2[int, error]{
			"too few":  double.Map(patient(t), p, numbers(3), pool.WithWeights([]float64{1, 2})),
			"too many": double.Map(patient(t), p, numbers(3), pool.WithWeights([]float64{1, 2, 3, 4})),
			"none":     double.MapUnordered(patient(t), p, numbers(3), pool.WithWeights(nil)),
			"NaN":      double.Map(patient(t), p, numbers(2), pool.WithWeights([]float64{1, math.NaN()})),
		} {
			if before, e := lastError[*pool.ConfigError](t, m); before > 0 || e.Field != "WithWeights" {
				t.Errorf("%s: %d results, then %v", name, before, e)
			}
		}
		if s := p.Stats(); s.Submitted > 0 {
			t.Errorf("%+v", s)
		}
	})
	overKinds(t, "a panic of the input is told before anything begins", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		bad := func(yield func(int) bool) {
			if yield(1) {
				panic("no more")
			}
		}
		if before, e := lastError[*pool.InputError](t, double.Map(patient(t), p, bad, pool.WithWeights([]float64{1}))); before > 0 || e.Items != 1 {
			t.Errorf("%d results, then %v", before, e)
		}
	})
}

// jotting is an item that is noted in a log when it begins.
type jotting struct {
	Log string
	N   int
}

var jot = pool.NewTask("jot", func(_ context.Context, n jotting) (int, error) {
	return n.N, appendToFile(n.Log, strconv.Itoa(n.N))
})
