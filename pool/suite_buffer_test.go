package pool_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stint-go/stint/pool"
)

const mebibyte = 1 << 20

// noise returns so many bytes, in which no part is like another.
func noise(seed uint32, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		if i%4 == 0 {
			seed = seed*1664525 + 1013904223
		}
		b[i] = byte(seed >> (8 * (i % 4)))
	}
	return b
}

// contentOf returns a Buffer's bytes.
func contentOf(t testing.TB, b *pool.Buffer) []byte {
	t.Helper()
	data, err := b.Bytes()
	if err != nil {
		t.Fatalf("read the Buffer: %v", err)
	}
	return data
}

// fillWith makes a Buffer of a size, each byte of which is the same.
func fillWith(ctx context.Context, size int, letter byte) *pool.Buffer {
	b := pool.NewBuffer(ctx, size)
	_ = b.Use(func(data []byte) error {
		for i := range data {
			data[i] = letter
		}
		return nil
	})
	return b
}

// sumOf adds up the bytes of a Buffer.
func sumOf(b *pool.Buffer) (sum int, err error) {
	err = b.Use(func(data []byte) error {
		for _, c := range data {
			sum += int(c)
		}
		return nil
	})
	return sum, err
}

type letters struct {
	Size   int
	Letter byte
	How    string
}

type boxed struct {
	Name    string
	Content *pool.Buffer
}

var (
	returned = pool.NewTask("returned", func(_ context.Context, b *pool.Buffer) (*pool.Buffer, error) { return b, nil })
	rebuilt  = pool.NewTask("rebuilt", func(ctx context.Context, in *pool.Buffer) (*pool.Buffer, error) {
		out := pool.NewBuffer(ctx, in.Len())
		return out, out.Use(func(to []byte) error {
			return in.Use(func(from []byte) error {
				copy(to, from)
				return nil
			})
		})
	})
	checksum = pool.NewTask("checksum", func(_ context.Context, b *pool.Buffer) (sum uint32, err error) {
		err = b.Use(func(data []byte) error {
			sum = crc32.ChecksumIEEE(data)
			return nil
		})
		return sum, err
	})
	sums   = pool.NewTask("sums", func(_ context.Context, b *pool.Buffer) (int, error) { return sumOf(b) })
	builds = pool.NewTask("builds", func(ctx context.Context, l letters) (*pool.Buffer, error) {
		b := fillWith(ctx, l.Size, l.Letter)
		switch l.How {
		case "fail":
			return b, errors.New("on purpose")
		case "panic":
			panic("on purpose")
		case "forget":
			return fillWith(ctx, 1, l.Letter), nil
		case "release":
			b.Release()
		case "nil":
			return nil, nil
		case "hang":
			select {}
		}
		return b, nil
	})
	boxes = pool.NewTask("boxes", func(_ context.Context, b boxed) (boxed, error) { return b, nil })
	// passOn submits its argument, and a Buffer of its own, to its pool, and then
	// fills the memory of both with something else.
	passOn = pool.NewTask("passOn", func(ctx context.Context, in *pool.Buffer) (int, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		return passTo(ctx, p, in)
	})
)

func passTo(ctx context.Context, p pool.Pool, in *pool.Buffer) (int, error) {
	own := fillWith(ctx, in.Len(), 2)
	first, second := sums.Submit(ctx, p, in), sums.Submit(ctx, p, own)
	if !sameMemory(p) {
		own.Release()
		fillWith(ctx, in.Len(), 9) // where own has been, if that is free
		if err := in.Use(func(data []byte) error { clear(data); return nil }); err != nil {
			return 0, err
		}
	}
	a, err := first.Result(ctx)
	if err != nil {
		return 0, err
	}
	b, err := second.Result(ctx)
	return a * b, err
}

// sameMemory reports whether a pool's tasks get their arguments themselves.
func sameMemory(p pool.Pool) bool {
	_, same := p.(*pool.GoroutinePool)
	return same
}

func TestBuffer(t *testing.T) {
	sizes := []int{0, 10, mebibyte - 1, mebibyte, 5*mebibyte + 1}
	overKinds(t, "arrive as they were", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		for i, size := range sizes {
			data := noise(uint32(i), size)
			if got := value(t, checksum.Submit(t.Context(), p, pool.BufferOf(data))); got != crc32.ChecksumIEEE(data) {
				t.Errorf("%d bytes arrive with the sum %x", size, got)
			}
			for name, task := range map[string]*pool.Task[*pool.Buffer, *pool.Buffer]{"returned": returned, "rebuilt": rebuilt} {
				b := value(t, task.Submit(t.Context(), p, pool.BufferOf(data)))
				if got := contentOf(t, b); b.Len() != size || !bytes.Equal(got, data) {
					t.Errorf("%d bytes %s: %d others came back", size, name, len(got))
				}
				b.Release()
				b.Release()
				if _, err := b.Bytes(); !errors.Is(err, pool.ErrReleased) {
					t.Errorf("%d bytes %s: after Release: %v", size, name, err)
				}
			}
		}
	})
	overKinds(t, "go on to the next pool", func(t *testing.T, open opener) {
		p, next := open(t, pool.Config{Workers: 1}), open(t, pool.Config{Workers: 1})
		for _, size := range sizes[1:] {
			b := value(t, builds.Submit(t.Context(), p, letters{Size: size, Letter: 3}))
			one, two := sums.Submit(t.Context(), next, b), sums.Submit(t.Context(), p, b)
			if !sameMemory(p) {
				b.Release() // and its memory is used again, by what comes back
			}
			other := value(t, builds.Submit(t.Context(), p, letters{Size: size, Letter: 4}))
			if got, gotToo := value(t, one), value(t, two); got != 3*size || gotToo != 3*size {
				t.Errorf("%d bytes of 3: %d, %d", size, got, gotToo)
			}
			other.Release()
			b.Release()
		}
	})
	overKinds(t, "are submitted by tasks", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for _, size := range sizes[1:] {
			argument := bytes.Repeat([]byte{1}, size)
			if got := value(t, passOn.Submit(t.Context(), p, pool.BufferOf(argument))); got != 2*size*size {
				t.Errorf("%d bytes: %d, not %d", size, got, 2*size*size)
			}
		}
	})
	overKinds(t, "are refused once released", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for _, size := range sizes {
			b := pool.BufferOf(make([]byte, size))
			b.Release()
			matches(t, sums.Submit(t.Context(), p, b), pool.ErrReleased)
			b = value(t, builds.Submit(t.Context(), p, letters{Size: size}))
			b.Release()
			matches(t, sums.Submit(t.Context(), p, b), pool.ErrReleased)
		}
	})
	overKinds(t, "are items of a map", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		var all []*pool.Buffer
		for i := range 40 {
			all = append(all, pool.BufferOf(noise(uint32(i), i*20_000)))
		}
		n := 0
		for b, err := range rebuilt.Map(t.Context(), p, slices.Values(all), pool.WithChunkSize(7)) {
			if err != nil || !bytes.Equal(contentOf(t, b), noise(uint32(n), n*20_000)) {
				t.Errorf("item %d: %v", n, err)
			}
			b.Release()
			n++
		}
		if n != len(all) {
			t.Errorf("%d of %d", n, len(all))
		}
	})
	overKinds(t, "are within structs", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for i, size := range sizes {
			data := noise(uint32(i), size)
			got := value(t, boxes.Submit(t.Context(), p, boxed{"a box", pool.BufferOf(data)}))
			if got.Name != "a box" || !bytes.Equal(contentOf(t, got.Content), data) {
				t.Errorf("%d bytes: %+v", size, got)
			}
		}
	})
}
