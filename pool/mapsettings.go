package pool

import (
	"context"
	"fmt"
)

// MapOption changes one call of Map or MapUnordered. Each Option is one, and
// holds for every item: WithTimeout limits the running time of single items.
type MapOption interface {
	applyToMap(*mapSettings)
}

type mapOption func(*mapSettings)

func (o mapOption) applyToMap(s *mapSettings) { o(s) }

func (o Option) applyToMap(s *mapSettings) { s.items = append(s.items, o) }

// WithChunkSize sends so many items at a time to a worker process, instead of as
// many as run in about 10 ms; the last ones of the input, and those that a full
// window stops, may be fewer. On a goroutine pool items are handed over one by
// one, whatever the size. It must be 1 or more.
func WithChunkSize(n int) MapOption {
	return mapOption(func(s *mapSettings) { s.chunk = &n })
}

// WithWindow bounds how many items may be read and not yielded yet: those that
// wait, run, or are done and wait for their turn. It must be 1 or more. Default:
// four chunks for each worker, and no less than 1024.
func WithWindow(n int) MapOption {
	return mapOption(func(s *mapSettings) { s.window = &n })
}

// mapSettings is what the options of a map come to.
type mapSettings struct {
	ordered bool
	items   []Option // for each item
	chunk   *int     // nil: automatic
	window  *int     // nil: automatic
	weights []float64
}

func newMapSettings(ordered bool, options []MapOption) *mapSettings {
	s := &mapSettings{ordered: ordered}
	for _, option := range options {
		option.applyToMap(s)
	}
	return s
}

// single reports whether items must travel one by one: where they have weights or
// may be tried again, where their time in the queue is limited, where signs of life
// put a limit off, where it is counted what they use, and where each tells its own
// progress.
func (s *mapSettings) single(p *ProcessPool, d *definition) bool {
	var probe Job
	probe.apply(d.options, s.items)
	probe.completeLimits(&p.limits)
	l := probe.limits
	return s.weights != nil || probe.retry != nil || l.queue > 0 || l.silence > 0 || l.cpu > 0 || l.memory > 0 || probe.teller != nil
}

// check says what cannot be.
func (s *mapSettings) check(ctx context.Context, p Pool, noInput bool) error {
	probe := Job{ctx: ctx}
	probe.apply(nil, s.items)
	if err := probe.check("Map", p); err != nil {
		return err
	}
	switch {
	case noInput:
		return &ConfigError{Field: "Map", Reason: "the input is nil"}
	case s.chunk != nil && *s.chunk < 1:
		return &ConfigError{Field: "WithChunkSize", Reason: fmt.Sprintf("%d is below 1", *s.chunk)}
	case s.window != nil && *s.window < 1:
		return &ConfigError{Field: "WithWindow", Reason: fmt.Sprintf("%d is below 1", *s.window)}
	}
	return s.checkWeights()
}
