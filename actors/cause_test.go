package actors

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stint-go/stint/reactor"
)

func TestVerdict(t *testing.T) {
	var (
		deadline = Cause{Kind: CauseDeadline}
		shutdown = Cause{Kind: CauseShutdown}
		start    = Cause{CauseStart, errors.New("no hello")}
		none     = Cause{}

		success  = reactor.Exit{Kind: reactor.Exited}
		bySegv   = reactor.Exit{Kind: reactor.Signalled, Signal: syscall.SIGSEGV}
		byTerm   = reactor.Exit{Kind: reactor.Signalled, Signal: syscall.SIGTERM}
		byKill   = reactor.Exit{Kind: reactor.Signalled, Signal: syscall.SIGKILL}
		statusOf = reactor.Exit{Kind: reactor.Unknown}
	)
	nothing := func(*blame) {}
	killed := func(b *blame) { b.condemn(deadline) }
	asked := func(b *blame) { b.accuse(deadline); b.ask(false) }
	termed := func(b *blame) { b.accuse(deadline); b.ask(true) }

	for name, test := range map[string]struct {
		before func(*blame)
		exit   reactor.Exit
		after  func(*blame) // the exit was seen
		want   Cause
	}{
		"its own exit":                     {nothing, success, nothing, none},
		"a crash":                          {nothing, bySegv, nothing, none},
		"an outsider's KILL":               {nothing, byKill, nothing, none},
		"an outsider's TERM":               {nothing, byTerm, nothing, none},
		"killed":                           {killed, byKill, nothing, deadline},
		"killed, status lost":              {killed, statusOf, nothing, deadline},
		"left before the KILL came":        {killed, success, nothing, none},
		"crashed before the KILL came":     {killed, bySegv, nothing, none},
		"asked, and obeyed":                {asked, success, nothing, deadline},
		"TERM, and obeyed":                 {termed, byTerm, nothing, deadline},
		"TERM, and handled it":             {termed, success, nothing, deadline},
		"killed after the exit":            {nothing, success, killed, none},
		"killed by another, then by us":    {nothing, byKill, killed, none},
		"accused, and left before the ask": {func(b *blame) { b.accuse(deadline) }, success, nothing, none},
		"the first cause stands":           {func(b *blame) { killed(b); b.condemn(shutdown) }, byKill, nothing, deadline},
		"no cause given":                   {func(b *blame) { b.condemn(none) }, byKill, nothing, Cause{Kind: CauseKill}},
		"pardoned":                         {func(b *blame) { asked(b); b.pardon() }, byKill, nothing, none},
		"pardoned, then ended by TERM":     {func(b *blame) { termed(b); b.pardon() }, byTerm, nothing, deadline},
		"pardoned, then killed, ended by TERM before that": {
			func(b *blame) { termed(b); b.pardon(); b.condemn(shutdown) }, byTerm, nothing, deadline,
		},
		"pardoned, then ended by itself": {func(b *blame) { termed(b); b.pardon() }, success, nothing, none},
		"pardoned, then killed":          {func(b *blame) { asked(b); b.pardon(); b.condemn(shutdown) }, byKill, nothing, shutdown},
		"pardoned too late":              {func(b *blame) { asked(b); b.condemn(none); b.pardon() }, byKill, nothing, deadline},
		"its fault, found before":        {func(b *blame) { b.condemn(start) }, success, nothing, start},
		"its fault, found after":         {nothing, success, func(b *blame) { b.condemn(start) }, start},
	} {
		t.Run(name, func(t *testing.T) {
			var b blame
			test.before(&b)
			b.exit()
			test.after(&b)
			if got := b.verdict(test.exit); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestStrings(t *testing.T) {
	for got, want := range map[string]string{
		CauseRecycled.String():                      "recycled",
		CauseKind(200).String():                     "CauseKind(200)",
		Cause{Kind: CauseKill}.String():             "kill",
		Cause{CauseStart, errors.New("x")}.String(): "start: x",
		Exited.String():                             "exited",
		State(200).String():                         "State(200)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
