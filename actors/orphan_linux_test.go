//go:build linux && (amd64 || arm64)

package actors_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

func init() {
	helpers["icy host"] = icyHost
	if os.Getuid() == 0 {
		otherUser = &actors.User{UID: 12345, GID: 12345}
	}
}

const (
	icyGroupKey = "STINT_ACTORS_TEST_GROUP"
	tracksKey   = "STINT_ACTORS_TEST_TRACKS"
)

// icyHost starts a process in the control group, which does not get as far as its
// program there, and stays. The program would leave a file.
func icyHost() {
	group, err := os.Open(os.Getenv(icyGroupKey))
	if err != nil {
		panic(err)
	}
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		panic(err)
	}
	f := newFence()
	f.group = group
	s, err := actors.NewSystem(r, actors.Config{Enclose: func(actors.Limits) (actors.Enclosure, error) { return f, nil }})
	if err != nil {
		panic(err)
	}
	err = s.Start(newWorker(), func() (actors.Command, error) {
		return enclosed(actors.Command{Path: "/bin/sh", Args: []string{"sh", "-c", `: >"$0"; sleep 1000`, os.Getenv(tracksKey)}}), nil
	})
	if err != nil {
		panic(err)
	}
	select {}
}

// LK-6: a host that is SIGKILLed before its child has executed its program, and before
// the child has asked to be killed with it, leaves no child, and the program never runs.
func TestKilledHostOfUnborn(t *testing.T) {
	g := newIcy(t)
	tracks := filepath.Join(t.TempDir(), "tracks")
	host := exec.Command(os.Args[0])
	host.Env = append(helperEnv("icy host"), icyGroupKey+"="+g.path, tracksKey+"="+tracks)
	host.Stderr = os.Stderr
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	g.occupied()
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // an error: it was killed
	g.thaw()
	g.vacant()
	if _, err := os.Stat(tracks); err == nil {
		t.Error("the program has run")
	}
}
