//go:build !linux

package runtime

import (
	"errors"
	"log/slog"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// enclosures are none: there are process groups, at most.
type enclosures struct{}

func newEnclosures(wanted Containment, _ Limiter, _ bool, _ *reactor.Reactor, _ *slog.Logger) (*enclosures, error) {
	if wanted == ContainCgroup || wanted == ContainMark {
		return nil, &ContainmentError{wanted, errors.ErrUnsupported}
	}
	return &enclosures{}, nil
}

func (*enclosures) containment() (Containment, error) {
	return ContainGroup, &ContainmentError{ContainMark, errors.ErrUnsupported}
}

func (*enclosures) limiter() (Limiter, error) { return LimitAuto, errors.ErrUnsupported }

func (*enclosures) enclose(limits actors.Limits) (actors.Enclosure, error) {
	if limits.Memory > 0 {
		return nil, &actors.LimitError{Limit: "Memory", Value: limits.Memory, Err: errors.ErrUnsupported}
	}
	return nil, nil
}

func (*enclosures) close() error { return nil }
