package pool

import (
	"context"
	"testing"

	"github.com/stint-go/stint/runtime/worker"
)

// FuzzReceive: context values that arrive in a worker make a context or a failure,
// whatever they are. SEC-4.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{0xa0})
	f.Add([]byte{0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	for _, c := range carriers.all {
		data, err := worker.Marshal(map[string][]byte{c.name: {0x61, 'x'}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, failure := receive(context.Background(), data)
		if (ctx == nil) == (failure == nil) {
			t.Errorf("context %v, failure %+v", ctx, failure)
		}
	})
}
