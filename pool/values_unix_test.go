//go:build unix

package pool_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stint-go/stint/pool"
)

// TestContextValuesRefused: values that cannot travel fail their task, and that
// alone.
func TestContextValuesRefused(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for name, c := range map[string]struct {
		key, value any
		op, says   string
	}{
		"of another type": {visitorKey{}, 7, "encode", "it is a int"},
		"too large":       {visitorKey{}, visitor{Name: strings.Repeat("x", 64<<10)}, "encode", "over the limit"},
		"illegible":       {illegibleKey{}, illegible{}, "decode", "illegible"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.WithValue(t.Context(), c.key, c.value)
			err := failure[*pool.CodecError](t, double.Submit(ctx, p, 1))
			if err.Op != c.op || err.Task != "double" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			for _, err := range double.Map(ctx, p, slices.Values([]int{1, 2, 3}), pool.WithChunkSize(3)) {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("an item: %v", err)
				}
			}
			if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
				t.Errorf("afterwards: %d", got)
			}
		})
	}
	if s := p.Stats(); s.Started != 1 {
		t.Errorf("the figures: %+v", s)
	}
}
