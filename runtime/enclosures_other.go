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

func newEnclosures(wanted Containment, _ bool, _ *reactor.Reactor, _ *slog.Logger) (*enclosures, error) {
	if wanted == ContainCgroup || wanted == ContainMark {
		return nil, &ContainmentError{wanted, errors.ErrUnsupported}
	}
	return &enclosures{}, nil
}

func (*enclosures) containment() (Containment, error) {
	return ContainGroup, &ContainmentError{ContainMark, errors.ErrUnsupported}
}

func (*enclosures) enclose() (actors.Enclosure, error) { return nil, nil }

func (*enclosures) close() error { return nil }
