package reactor_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

// helperVariable names the helper that a re-executed test binary is.
const helperVariable = "STINT_REACTOR_TEST_HELPER"

// helpers are the programs that tests start: each returns its exit code.
var helpers = map[string]func(args []string) int{}

func TestMain(m *testing.M) {
	name := os.Getenv(helperVariable)
	if name == "" {
		leaktest.Main(m)
		return
	}
	helper, ok := helpers[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "there is no helper %q\n", name)
		os.Exit(99)
	}
	os.Exit(helper(os.Args[1:]))
}
