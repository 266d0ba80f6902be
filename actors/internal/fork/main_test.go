package fork

import (
	"testing"

	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) {
	leaktest.Main(m)
}
