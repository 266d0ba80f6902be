package worker_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/worker"
)

// helperKey names the helper that this test binary is, when a test runs it again.
const helperKey = "STINT_WORKER_TEST_HELPER"

var helpers = map[string]func(){}

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(helperKey); ok {
		os.Unsetenv(helperKey)
		helper, ok := helpers[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "no helper named", name)
			os.Exit(64)
		}
		helper()
		os.Exit(0)
	}
	if worker.Inherited() {
		worker.Serve(handlers)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // of the processes that tests start: they end a second later otherwise
	leaktest.Main(m)
}
