//go:build unix

package actors

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

// told is an owner that notes in what order it is told.
type told struct{ words chan string }

func (o told) Started(*Process)    { o.words <- "started" }
func (o told) Ask(Cause)           { o.words <- "ask" }
func (o told) Spared()             { o.words <- "spared" }
func (o told) Exited(Report) error { o.words <- "exited"; return nil }
func (o told) StartFailed(e error) { o.words <- "start failed: " + e.Error() }

// The watch is registered before the spawner is done with a start, so the exit
// can be told first; and a kill before both.
func TestExitBeforeStarted(t *testing.T) {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e := newEngine(slog.New(slog.DiscardHandler))
	defer e.close()
	v := &Supervisor{cfg: Supervision{StartTimeout: time.Hour, DrainTimeout: -1}, logger: slog.Default()}
	p := &Process{system: &System{processes: map[*Process]struct{}{}}, keeper: v, logger: v.logger}
	p.self = spawn(e, p)

	child, err := (&Command{Path: "/bin/true"}).start(open{}.Place(Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	if !child.executes(time.Minute) {
		t.Fatal("it executes no program")
	}
	exit := make(chan reactor.Exit, 1)
	w, err := child.watch(r, func(e reactor.Exit) { exit <- e })
	if err != nil {
		t.Fatal(err)
	}
	owner := told{make(chan string, 10)}
	p.self.send(kill{ladder: Ladder{Ask: true, Grace: time.Hour}, cause: Cause{Kind: CauseShutdown}, stop: true})
	p.self.send(exited{<-exit})
	p.self.send(started{enclosure: open{}, owner: owner, watch: w, at: time.Now()})
	for _, want := range []string{"started", "exited"} {
		if got := <-owner.words; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	if len(owner.words) != 0 || p.State() != Exited {
		t.Errorf("state %v, then told %q", p.State(), <-owner.words)
	}
}
