package subprocess_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

// helperKey names the helper that this test binary is, when a test runs it again.
const helperKey = "STINT_SUBPROCESS_TEST_HELPER"

var helpers = map[string]func(){}

func TestMain(m *testing.M) {
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
