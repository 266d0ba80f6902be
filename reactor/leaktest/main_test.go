package leaktest

import (
	"os"
	"testing"
	"time"
)

// helperVariable tells a re-executed test binary what to be.
const helperVariable = "LEAKTEST_HELPER"

// helpers are what this binary can be instead of a test run. Those that leave
// something behind are judged like a package's tests.
var helpers = map[string]func() (code int){}

// leak makes a helper of what a package's tests may do; it returns their code.
func leak(name string, tests func() int) {
	helpers[name] = func() int { return run(runner(tests), 300*time.Millisecond) }
}

type runner func() int

func (r runner) Run() int { return r() }

func TestMain(m *testing.M) {
	if helper, ok := helpers[os.Getenv(helperVariable)]; ok {
		os.Exit(helper())
	}
	Main(m)
}
