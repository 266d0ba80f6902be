package runtime

import "sync"

// shared is the host of everybody who brought none of their own. It lives as
// long as it has users.
var shared struct {
	mu    sync.Mutex
	host  *Host
	users int
}

// Share returns the program's shared host, which is started with its first user
// and closed with its last. Each user calls release once; the last one's release
// returns when the host is gone.
func Share() (host *Host, release func() error, err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.host == nil {
		started, err := Start(Config{})
		if err != nil {
			return nil, nil, err
		}
		shared.host = started
	}
	shared.users++
	return shared.host, sync.OnceValue(unshare), nil
}

func unshare() error {
	shared.mu.Lock()
	shared.users--
	var last *Host
	if shared.users == 0 {
		last, shared.host = shared.host, nil
	}
	shared.mu.Unlock()
	if last == nil {
		return nil
	}
	return last.Close()
}
