//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stint-go/stint/pool"
)

// place is where a worker, or what it has started, finds itself.
type place struct {
	Dir  string
	Env  []string
	Nice []string // of each of the worker's threads, where the system tells, and of a child
}

var whereabouts = pool.NewTask("whereabouts", func(ctx context.Context, _ none) (p place, err error) {
	if p.Dir, err = os.Getwd(); err != nil {
		return p, err
	}
	p.Env = os.Environ()
	out, err := exec.CommandContext(ctx, "/bin/sh", "-c", "ps -o ni= -p $PPID; ps -o ni= -p $$").Output()
	p.Nice = strings.Fields(string(out))
	return p, err
})

// own is this process's niceness.
func own(t testing.TB) int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "ni=", "-p", itoa(os.Getpid())).Output()
	if err != nil {
		t.Fatal(err)
	}
	return atoi(strings.TrimSpace(string(out)))
}

// TestPlace: workers run where and how the configuration says, and so does what
// they start.
func TestPlace(t *testing.T) {
	whereIs := func(t *testing.T, config pool.Config) place {
		config.Workers = 1
		return value(t, whereabouts.Submit(t.Context(), newProcessPool(t, config), none{}))
	}
	for name, c := range map[string]struct{ nice, more int }{"by default": {0, 5}, "7": {7, 7}, "none": {pool.NoNice, 0}} {
		t.Run("nice "+name, func(t *testing.T) {
			want := itoa(min(own(t)+c.more, 19))
			if got := whereIs(t, pool.Config{Nice: c.nice}).Nice; !slices.Equal(got, []string{want, want}) {
				t.Errorf("worker and child have %q, want %s", got, want)
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		dir := t.TempDir()
		if got := whereIs(t, pool.Config{Dir: dir}).Dir; got != dir {
			t.Errorf("it is in %s", got)
		}
	})
	t.Run("environment", func(t *testing.T) {
		env := []string{"FIRST=1", "SECOND=a=b", "GORACE=atexit_sleep_ms=0"}
		if got := whereIs(t, pool.Config{Env: env}).Env; !slices.Equal(got, env) {
			t.Errorf("it has %q", got)
		}
		t.Setenv("POOL_TEST_INHERITED", "yes")
		if got := whereIs(t, pool.Config{}).Env; !slices.Contains(got, "POOL_TEST_INHERITED=yes") {
			t.Errorf("it has %q", got)
		}
	})
}

func TestPlaceRefused(t *testing.T) {
	for name, c := range map[string]struct {
		field  string
		config pool.Config
	}{
		"nicer than can be": {"Nice", pool.Config{Nice: 20}},
		"urgent":            {"Nice", pool.Config{Nice: -5}},
		"no such directory": {"Dir", pool.Config{Dir: "/no/such/directory"}},
		"no directory":      {"Dir", pool.Config{Dir: os.Args[0]}},
		"no such CPU":       {"CPUs", pool.Config{CPUs: []int{0, 1 << 20}}},
		"a CPU below zero":  {"CPUs", pool.Config{CPUs: []int{-1}}},
		"no pair":           {"Env", pool.Config{Env: []string{"PATH"}}},
		"no key":            {"Env", pool.Config{Env: []string{"=x"}}},
		"a zero byte":       {"Env", pool.Config{Env: []string{"A=\x00"}}},
		"the library's own": {"Env", pool.Config{Env: []string{"STINT_WORKER="}}},
	} {
		t.Run(name, func(t *testing.T) {
			var bad *pool.ConfigError
			if _, err := pool.NewProcessPool(c.config); !errors.As(err, &bad) || bad.Field != c.field {
				t.Errorf("got %v", err)
			}
		})
	}
}
