package process_test

import (
	"os"
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

// programKey names the program that this test binary is to be instead of the tests.
const programKey = "PROCESS_TEST_PROGRAM"

var programs = map[string]func(){}

func TestMain(m *testing.M) {
	if main, ok := programs[os.Getenv(programKey)]; ok {
		main()
		return
	}
	leaktest.Main(m)
}
