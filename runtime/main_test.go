package runtime_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

// helperKey names the helper that this test binary is, when a test runs it again.
const helperKey = "STINT_RUNTIME_TEST_HELPER"

var helpers = map[string]func(){}

func TestMain(m *testing.M) {
	// Under the race detector a process takes a second to exit, unless this is set.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if name, ok := os.LookupEnv(helperKey); ok {
		helper, ok := helpers[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "no helper named", name)
			os.Exit(64)
		}
		helper()
		os.Exit(0)
	}
	leaktest.Main(m)
}
