package reactor

import (
	"sync"
	"time"
)

// parker is the waiting half of the back ends that have no descriptor to wait
// on: the loop sleeps in wait until a token is told, the deadline or close.
type parker struct {
	told   chan uint64
	timer  *time.Timer
	closed chan struct{}
	once   sync.Once
}

func newParker() *parker {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &parker{told: make(chan uint64), timer: timer, closed: make(chan struct{})}
}

// tell hands token to the loop. It blocks until the loop takes it or is gone.
func (k *parker) tell(token uint64) {
	select {
	case k.told <- token:
	case <-k.closed:
	}
}

func (k *parker) wait(ready []uint64) ([]uint64, error) {
	select {
	case token := <-k.told:
		return append(ready, token), nil
	case <-k.timer.C:
		return ready, nil
	case <-k.closed:
		return ready, ErrClosed
	}
}

func (k *parker) setDeadline(t time.Time) {
	if t.IsZero() {
		k.timer.Stop()
		return
	}
	k.timer.Reset(time.Until(t))
}

func (k *parker) close() error {
	k.once.Do(func() {
		k.timer.Stop()
		close(k.closed)
	})
	return nil
}
