package worker

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// resting runs n goroutines, each with its number noted, until release is called.
func resting(n int) (numbers []int, release func()) {
	var ready, all sync.WaitGroup
	numbers, released := make([]int, n), make(chan struct{})
	others := strings.Count(allStacks(), "worker.rest(")
	ready.Add(n)
	for i := range numbers {
		all.Go(func() {
			numbers[i] = Goroutine()
			ready.Done()
			rest(released)
		})
	}
	ready.Wait()
	for strings.Count(allStacks(), "worker.rest(") < others+n {
		runtime.Gosched() // one is on its way to rest
	}
	return numbers, func() { close(released); all.Wait() }
}

func rest(released chan struct{}) { <-released }

// strangers are goroutines at rest whose parent is gone, so that nobody descends from whom they do.
func strangers() (release func()) {
	var all sync.WaitGroup
	var parent int
	all.Go(func() {
		parent = Goroutine()
		_, release = resting(3)
	})
	all.Wait()
	for Stack(parent) != "" {
		runtime.Gosched() // it has said that it is done, and is on its way out
	}
	return release
}

// A goroutine's stack is its own, whoever else asks at the same time.
func TestStack(t *testing.T) {
	numbers, release := resting(300)
	defer release()
	var all sync.WaitGroup
	for _, n := range numbers {
		all.Go(func() {
			stack := Stack(n)
			if got, _ := goroutineOf(stack); got != n || strings.Count(stack, "worker.rest(") != 1 || strings.HasSuffix(stack, "\n") {
				t.Errorf("the stack of goroutine %d:\n%s", n, stack)
			}
		})
	}
	all.Wait()
	if got := Stack(1 << 40); got != "" {
		t.Errorf("there is no such goroutine, and its stack is\n%s", got)
	}
}

// Its descendants come along, as far as there is room, and nobody else.
func TestStackOfAFamily(t *testing.T) {
	releaseStrangers := strangers()
	defer releaseStrangers()
	for _, children := range []int{1, 20, 1000} {
		_, release := resting(children)
		stack := Stack(Goroutine())
		release()
		self, _ := goroutineOf(stack)
		if self != Goroutine() || len(stack) > wire.MaxStack {
			t.Errorf("%d bytes, of goroutine %d first", len(stack), self)
		}
		got := strings.Count(stack, "worker.rest(")
		if got > children || got < children && len(stack) < wire.MaxStack {
			t.Errorf("%d children of %d in %d bytes", got, children, len(stack))
		}
	}
}

// A program with very many goroutines is not stopped for the stack of one.
func TestStackOfACrowd(t *testing.T) {
	numbers, release := resting(maxGoroutines)
	defer release()
	if got := Stack(numbers[0]); !strings.HasPrefix(got, "not taken") {
		t.Errorf("with %d goroutines it was taken:\n%s", runtime.NumGoroutine(), got)
	}
}
