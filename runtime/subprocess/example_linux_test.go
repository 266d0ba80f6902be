package subprocess_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

func ExampleCmd_limits() {
	cmd := subprocess.Shell("ulimit -n; while :; do :; done")
	cmd.Limits = subprocess.Limits{OpenFiles: 64, CPUTime: time.Second, CoreSize: subprocess.NoCore}
	r, err := subprocess.Run(context.Background(), cmd)
	fmt.Printf("%s%v, %v\n", r.Stdout, r.Exit.Signal, err)
	// Output:
	// 64
	// CPU time limit exceeded, <nil>
}
