package actors

import (
	"sync"

	"github.com/stint-go/stint/reactor"
)

// spawners are one or more that answer the same requests. Their threads begin with the
// first.
type spawners struct {
	*requests
	begin   func()
	running sync.WaitGroup
}

// loneSpawners is how many there are for what nobody supervises, the commands above
// all, of which there may be thousands at a time: while one waits for its child to get
// to its exec, which is most of a start, the other has the next one fork.
const loneSpawners = 2

func newSpawners(threads int, r *reactor.Reactor, enclose func() (Enclosure, error), bound *boundSpawners) *spawners {
	all := &spawners{requests: newRequests()}
	all.begin = sync.OnceFunc(func() {
		for range threads {
			s := &spawner{reactor: r, enclose: enclose, bound: bound, requests: all.requests}
			all.running.Go(s.run)
		}
	})
	return all
}

func (all *spawners) enqueue(r *request) {
	all.begin()
	all.requests.enqueue(r)
}

// close returns when the threads are gone. All requests must have been answered.
func (all *spawners) close() {
	all.end()
	all.running.Wait()
}
