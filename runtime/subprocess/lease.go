package subprocess

import (
	"sync"
	"time"

	"github.com/stint-go/stint/runtime"
)

// linger is how long the shared host is kept after the last command: to start one
// costs as much as some commands do, and one command often follows the other.
const linger = 250 * time.Millisecond

// lease is this package's use of the shared host.
var lease struct {
	mu      sync.Mutex
	users   int
	host    *runtime.Host // nil: none is held
	release func() error
	end     *time.Timer // of the lingering; nil: there are users
}

// acquire returns the shared host. Each call is matched by one of giveBack.
func acquire() (*runtime.Host, error) {
	lease.mu.Lock()
	defer lease.mu.Unlock()
	if lease.end != nil {
		lease.end.Stop()
		lease.end = nil
	}
	if lease.host == nil {
		host, release, err := runtime.Share()
		if err != nil {
			return nil, err
		}
		lease.host, lease.release = host, release
	}
	lease.users++
	return lease.host, nil
}

// giveBack does not block.
func giveBack() {
	lease.mu.Lock()
	defer lease.mu.Unlock()
	lease.users--
	if lease.users == 0 {
		lease.end = time.AfterFunc(linger, endLease)
	}
}

// endLease runs in its timer's goroutine: the host's end takes some milliseconds.
func endLease() {
	lease.mu.Lock()
	if lease.users > 0 || lease.host == nil {
		lease.mu.Unlock()
		return
	}
	release := lease.release
	lease.host, lease.release, lease.end = nil, nil, nil
	lease.mu.Unlock()
	_ = release() // it closes what nobody uses; there is nobody to tell
}
