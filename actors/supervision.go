package actors

import (
	"fmt"
	"time"
)

// Supervision says what a [Supervisor] keeps alive and when it gives up.
type Supervision struct {
	// Name is for logs and errors.
	Name string
	// Workers is how many processes there are to be. None is fine; see Resize.
	Workers int
	// Prepare says what to start, and for whom. It is called once for each start,
	// on the spawner's goroutine, where all starts wait for it: it must not block.
	// An error counts as a failed start, and no owner hears of it. A panic or
	// runtime.Goexit in it ends the program. Required.
	Prepare func() (Command, Owner, error)
	// MaxFailures is how many starts within Within may fail to become ready until
	// the supervisor is broken. The last of them breaks it. Starts that were under
	// way together count once. As many in a row, however slowly they fail, break it
	// as well. Default: 5 in 10 s.
	MaxFailures int
	Within      time.Duration
	// StartTimeout is the time from the start to Process.Ready. A process that
	// needs longer is killed, and its start has failed. Default: 30 s.
	StartTimeout time.Duration
	// DrainTimeout bounds the time from the exit to Process.ChannelClosed; a
	// descendant that holds the channel open can delay that for ever. Default:
	// 100 ms. Negative: no time at all, for processes without a channel.
	DrainTimeout time.Duration
	// Broken, if set, is told once, with a *BrokenError, that the supervisor has
	// given up: there are no more starts, and processes that live go on until
	// Stop. It runs on the supervisor's goroutine and must not block.
	Broken func(error)
}

// withDefaults returns the supervision with defaults for what was left out, or
// a *ConfigError.
func (s Supervision) withDefaults() (Supervision, error) {
	setDefault(&s.MaxFailures, 5)
	setDefault(&s.Within, 10*time.Second)
	setDefault(&s.StartTimeout, 30*time.Second)
	setDefault(&s.DrainTimeout, 100*time.Millisecond)
	if s.Broken == nil {
		s.Broken = func(error) {}
	}
	switch {
	case s.Prepare == nil:
		return s, &ConfigError{"Supervision.Prepare", "it is required"}
	case s.Workers < 0:
		return s, &ConfigError{"Supervision.Workers", fmt.Sprintf("%d is negative", s.Workers)}
	case s.MaxFailures < 0:
		return s, &ConfigError{"Supervision.MaxFailures", fmt.Sprintf("%d is negative", s.MaxFailures)}
	case s.Within < 0:
		return s, &ConfigError{"Supervision.Within", fmt.Sprintf("%v is negative", s.Within)}
	case s.StartTimeout < 0:
		return s, &ConfigError{"Supervision.StartTimeout", fmt.Sprintf("%v is negative", s.StartTimeout)}
	}
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
