//go:build unix

package reactor_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

func TestExitString(t *testing.T) {
	for _, test := range []struct {
		exit    reactor.Exit
		want    string
		success bool
	}{
		{reactor.Exit{}, "ended with unknown status", false},
		{reactor.Exit{Err: errors.New("reason")}, "ended with unknown status: reason", false},
		{reactor.Exit{Kind: reactor.Exited}, "exited with code 0", true},
		{reactor.Exit{Kind: reactor.Exited, Code: 3}, "exited with code 3", false},
		{reactor.Exit{Kind: reactor.Signalled, Signal: unix.SIGKILL}, "killed by SIGKILL", false},
		{reactor.Exit{Kind: reactor.Signalled, Signal: unix.SIGSEGV, CoreDumped: true}, "killed by SIGSEGV (core dumped)", false},
		{reactor.Exit{Kind: reactor.Signalled, Signal: 250}, "killed by signal 250", false},
	} {
		if got := test.exit.String(); got != test.want || test.exit.Success() != test.success {
			t.Errorf("%+v: %q, success %v", test.exit, got, test.exit.Success())
		}
	}
}
