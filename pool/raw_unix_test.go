//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// The types that travel as what they are in memory, and a few that nearly do.
type (
	celsius  []float32
	title    string
	tags     []title
	payloads struct {
		test string
		run  func(t *testing.T, p pool.Pool)
	}
)

// payload makes a check that values arrive, both ways.
func payload[T any](name string, values ...T) payloads {
	task := pool.NewTask("payload "+name, func(_ context.Context, v T) (T, error) { return v, nil })
	return payloads{name, func(t *testing.T, p pool.Pool) {
		for _, v := range values {
			if got := value(t, task.Submit(t.Context(), p, v)); !reflect.DeepEqual(got, v) {
				t.Errorf("sent %.100v, got %.100v", v, got)
			}
		}
		i := 0
		for got, err := range task.Map(t.Context(), p, slices.Values(values), pool.WithChunkSize(len(values))) {
			if err != nil || !reflect.DeepEqual(got, values[i]) {
				t.Errorf("in a chunk: sent %.100v, got %.100v, %v", values[i], got, err)
			}
			i++
		}
	}}
}

var allPayloads = []payloads{
	payload("bytes", []byte(nil), []byte("a"), make([]byte, 1<<20)),
	payload("text", "", "a", "\xff\x00", string(make([]byte, 100_000))),
	payload("a text's own type", title("T"), ""),
	payload("int8", []int8(nil), []int8{math.MinInt8, -1, math.MaxInt8}),
	payload("uint16", []uint16(nil), []uint16{1, 2, math.MaxUint16}, make([]uint16, 500_000)),
	payload("int32", []int32{math.MinInt32}, []int32{1, 2, 3}),
	payload("celsius", celsius{-273.15, float32(math.Inf(1))}, celsius(nil)),
	payload("int", []int{math.MinInt, 7}, []int{1}),
	payload("float64", []float64{math.SmallestNonzeroFloat64}, make([]float64, 200_000)),
	payload("durations", []time.Duration{1, time.Hour}),
	payload("booleans", []bool{true, false}, []bool{}),
	payload("tags", tags{"a", ""}, tags{}),
	payload("within a struct", struct{ A []byte }{[]byte("a")}, struct{ A []byte }{}),
}

// TestRawPayloads: what travels raw arrives as it was, alone and among others in a
// chunk, where it may begin at any address.
func TestRawPayloads(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for _, c := range allPayloads {
		t.Run(c.test, func(t *testing.T) { c.run(t, p) })
	}
}

// scribble writes to its argument.
var scribble = pool.NewTask("scribble", func(_ context.Context, b []byte) ([]byte, error) {
	for i := range b {
		b[i]++
	}
	return b, nil
})

// TestRawArgumentIsTheTasksOwn: a task may write to its argument, and the caller to
// his after Submit.
func TestRawArgumentIsTheTasksOwn(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for _, size := range []int{10, 3 << 20} {
		argument := make([]byte, size)
		f := scribble.Submit(t.Context(), p, argument)
		for i := range argument {
			argument[i] = 100
		}
		got := value(t, f)
		if len(got) != size || slices.ContainsFunc(got, func(b byte) bool { return b != 1 }) {
			t.Errorf("got %d bytes: %s", len(got), fmt.Sprint(got[:10]))
		}
	}
}
