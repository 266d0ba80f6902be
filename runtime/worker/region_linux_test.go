package worker

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A region is freed once: when it was released and nobody uses it any more.
func TestRegionRelease(t *testing.T) {
	for range 200 {
		var freed atomic.Int32
		data := []byte("whole")
		r := newRegion(data, func() {
			freed.Add(1)
			copy(data, "freed")
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				err := r.Use(func(data []byte) error {
					if string(data) != "whole" {
						t.Errorf("in use it is %q", data)
					}
					return nil
				})
				if err != nil && !errors.Is(err, ErrReleased) {
					t.Error(err)
				}
			})
			all.Go(r.Release)
		}
		all.Wait()
		if freed.Load() != 1 || !errors.Is(r.Use(func([]byte) error { return nil }), ErrReleased) {
			t.Fatalf("it was freed %d times", freed.Load())
		}
	}
}

// What was given is the other side's: it is not freed here, and not given twice.
func TestRegionGive(t *testing.T) {
	r := newRegion(nil, func() { t.Error("it was freed") })
	if !r.Give() || r.Give() {
		t.Error("given once, twice")
	}
	r.Release()
	if err := r.Use(func([]byte) error { return nil }); !errors.Is(err, ErrReleased) {
		t.Error(err)
	}
	released := newRegion(nil, func() {})
	if released.Release(); released.Give() {
		t.Error("given after its release")
	}
}

// Memory that cannot be accessed is an error of who uses it, and not the end of the
// program; another panic goes on, and so does an access elsewhere.
func TestRegionFault(t *testing.T) {
	data, err := unix.Mmap(-1, 0, 1<<16, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	freed := false
	r := newRegion(data[:1<<15], func() { freed = true })
	var sum int
	read := func(data []byte) error { sum += int(data[len(data)-1]); return nil }
	if err := r.Use(read); err == nil {
		t.Error("it was read")
	}
	if _, err := r.Copy(); err == nil {
		t.Error("it was copied")
	}
	for name, f := range map[string]func([]byte) error{
		"a panic": func([]byte) error { panic("on purpose") },
		"beyond":  func([]byte) error { return read(data) },
		"nothing": func([]byte) error { sum += *(*int)(nil); return nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_ = r.Use(f)
		}()
	}
	if r.Release(); !freed {
		t.Error("it is in use still")
	}
	if err := unix.Munmap(data); err != nil {
		t.Fatal(err)
	}
}
