package actors

import (
	"log/slog"
	"slices"
	"testing"
	"time"
)

// script is an actor that does what it is sent.
type script struct {
	onChildEnded func(c cell)
	onEnded      func()
}

func (s *script) receive(c cell, f func(cell)) { f(c) }
func (s *script) childEnded(c cell, _ string)  { s.onChildEnded(c) }
func (s *script) ended()                       { s.onEnded() }

// The end of a child is told after what was sent before it, although the library
// lets it overtake: else a supervisor would replace what a Resize that waits has
// made superfluous.
func TestChildEndedInTurn(t *testing.T) {
	e := newEngine(slog.New(slog.DiscardHandler))
	defer e.close()
	var told []string
	sent, done := make(chan struct{}), make(chan struct{})
	parent := spawn(e, &script{
		onChildEnded: func(c cell) { told = append(told, "child ended"); c.stop() },
		onEnded:      func() { close(done) },
	})
	parent.send(func(c cell) {
		child := spawnChild(c, e, &script{onEnded: func() {}})
		<-sent
		child.send(cell.stop)
		for e.goroutines.count() > 1 { // until the end has been posted
			time.Sleep(time.Millisecond)
		}
	})
	parent.send(func(cell) { told = append(told, "sent before") })
	close(sent)
	<-done
	if want := []string{"sent before", "child ended"}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}

func (g *goroutines) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running
}
