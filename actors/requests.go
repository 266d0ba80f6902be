package actors

import (
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// request is one start that was asked for.
type request struct {
	process   *Process
	source    func() (Command, Owner, error) // says what follows; nil: it was said
	busy      *backoff.ExponentialBackOff    // nil: the program file was not busy
	waited    time.Duration                  // for a busy program file
	command   Command
	owner     Owner     // of a lone process from the beginning
	enclosure Enclosure // nil: there is none yet
	place     Place     // that the enclosure gave
	newborn   newborn   // of a start that was tried
	clonedAt  time.Time // when that was
}

// requests are the starts that wait for their turn.
type requests struct {
	mu     sync.Mutex
	wake   *sync.Cond
	queue  []*request
	closed bool
}

func newRequests() *requests {
	q := &requests{}
	q.wake = sync.NewCond(&q.mu)
	return q
}

// enqueue asks for a start. The process's actor is told of the outcome.
func (q *requests) enqueue(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, r)
	q.wake.Signal()
}

// next returns the next request; nil: there is none, and if it was to wait for one,
// there will be none.
func (q *requests) next(wait bool) *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.queue) == 0 {
		if q.closed || !wait {
			return nil
		}
		q.wake.Wait()
	}
	r := q.queue[0]
	q.queue[0] = nil
	q.queue = q.queue[1:]
	return r
}

// end has the thread end when all requests are answered.
func (q *requests) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.Signal()
}
