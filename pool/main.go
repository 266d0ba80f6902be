package pool

import (
	"sync/atomic"

	"github.com/stint-go/stint/runtime/worker"
)

// mainCalled notes that this program serves when it is started as a worker.
var mainCalled atomic.Bool

// Main makes the program able to be its own workers. Call it as the first
// statement of func main, and of TestMain in the tests of a package that uses
// process pools. In a worker process it serves tasks and never returns;
// otherwise it returns at once.
func Main() {
	mainCalled.Store(true)
	if worker.Inherited() {
		worker.Serve(worker.Handlers{Values: receive, Task: serve, Items: serveItems, Initialize: initialize, Finalize: finalize})
	}
}

// refuseInWorker ends a worker process that reached a pool's constructor before
// Main, so that a program that forgot Main cannot start workers without end.
func refuseInWorker() {
	if worker.Inherited() && !mainCalled.Load() {
		worker.Refuse()
	}
}
