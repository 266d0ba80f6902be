package runtime_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor/leaktest"
)

// helperKey names the helper that this test binary is, when a test runs it again.
const helperKey = "STINT_RUNTIME_TEST_HELPER"

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

// patience bounds waits for what must happen soon.
const patience = 20 * time.Second

// receive returns what comes from c, or fails the test.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("unreachable")
	}
}
