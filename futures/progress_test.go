package futures_test

import (
	"sync"
	"testing"

	"github.com/stint-go/stint/futures"
)

func TestProgress(t *testing.T) {
	for _, settling := range settlings {
		t.Run(settling.name, func(t *testing.T) {
			p, f := futures.New[int](nil)
			if progress, reported := f.Progress(); reported || progress != nil {
				t.Errorf("before the first report: %v", progress)
			}
			for n := range 3 {
				if !p.Report(n) {
					t.Error("a report to a pending future is refused")
				}
			}
			called := make(chan any, 1)
			f.OnDone(func(f *futures.Future[int]) { progress, _ := f.Progress(); called <- progress })
			settling.do(p)
			if p.Report(7) {
				t.Error("a report to a settled future is taken")
			}
			if progress, reported := f.Progress(); !reported || progress != 2 {
				t.Errorf("the last report was 2, not %v", progress)
			}
			if progress := <-called; progress != 2 {
				t.Errorf("in a callback: %v", progress)
			}
		})
	}
	p, f := futures.New[int](nil)
	p.Report(nil)
	if progress, reported := f.Progress(); !reported || progress != nil {
		t.Errorf("a report of nothing: %v, %t", progress, reported)
	}
}

// Reports, reads and the end at the same time: who reads twice never sees an
// older one, and nothing changes after the end.
func TestProgressHammer(t *testing.T) {
	for range 200 {
		p, f := futures.New[int](nil)
		var all sync.WaitGroup
		all.Go(func() {
			for n := 0; p.Report(n); n++ {
			}
		})
		for range 3 {
			all.Go(func() {
				for last := -1; !f.State().Settled(); {
					if progress, ok := f.Progress(); ok {
						if progress.(int) < last {
							t.Errorf("%v after %d", progress, last)
						}
						last = progress.(int)
					}
				}
				before, _ := f.Progress()
				if after, _ := f.Progress(); after != before {
					t.Errorf("%v became %v after the end", before, after)
				}
			})
		}
		p.Succeed(1)
		all.Wait()
	}
}
