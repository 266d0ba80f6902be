//go:build unix

package pool_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/worker"
)

// forgery is an item that writes bytes into its worker's channel, if it has any,
// and hangs.
type forgery struct {
	N     int
	Bytes []byte
}

var forge = pool.NewTask("forge", func(_ context.Context, f forgery) (int, error) {
	if len(f.Bytes) > 0 {
		_, _ = syscall.Write(channelOut, f.Bytes)
		time.Sleep(time.Hour)
	}
	return f.N, nil
})

// itemResult is a result with its head, as it stands in a frame.
func itemResult(data ...byte) []byte { return append([]byte{byte(len(data)), 0, 0, 0}, data...) }

// TestForgeryInAChunk: a worker that lies about a chunk is replaced. Nothing more
// that it says counts; what it had not begun runs elsewhere.
func TestForgeryInAChunk(t *testing.T) {
	seven := []byte{7, 0, 0, 0, 0, 0, 0, 0}
	for name, bytes := range map[string][]byte{
		"a result of an item that it has not begun": frame(kindItems, 0, 1, elapsed(1, slices.Repeat(itemResult(seven...), 9)...)),
		"more results than there are items":         frame(kindItems, 0, 1, elapsed(1, slices.Repeat(itemResult(seven...), 100)...)),
		"the end before the end":                    frame(kindLastItems, 0, 1, elapsed(1)),
		"half a result":                             frame(kindItems, 0, 1, elapsed(1, 200, 0, 0, 0, 1)),
		"a result of four gigabytes":                frame(kindItems, 0, 1, elapsed(1, 0xff, 0xff, 0xff, 0xff)),
		"results without a time":                    frame(kindItems, 0, 1, []byte{1}),
		"a plain result of the whole":               frame(kindValue, 0, 1, elapsed(1, seven...)),
		"items of no chunk":                         frame(kindItems, 7, 77, elapsed(1)),
		"it was skipped":                            frame(kindSkipped, 0, 1, nil),
	} {
		t.Run(name, func(t *testing.T) {
			p := hostilePool(t, 2)
			items := make([]forgery, 10)
			for i := range items {
				items[i].N = i
			}
			items[4].Bytes = bytes
			all := collect(forge.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(10)))
			var protocol *worker.ProtocolError
			if len(all) != 10 || !errors.Is(all[4].err, pool.ErrWorkerDied) || !errors.As(all[4].err, &protocol) {
				t.Fatalf("%d results; the liar's: %v", len(all), all[4].err)
			}
			for i, o := range all {
				if i > 4 && (o.err != nil || o.out != i) || i < 4 && (o.err == nil && o.out != i) {
					t.Errorf("item %d: %+v", i, o)
				}
			}
		})
	}
}
