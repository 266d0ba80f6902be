package actors_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

// A test that needs a program of ours runs this test binary again, with the name
// of a helper in its environment.
const helperKey = "STINT_ACTORS_TEST_HELPER"

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

// helperEnv is the environment in which this binary is the helper.
func helperEnv(name string) []string { return append(os.Environ(), helperKey+"="+name) }
