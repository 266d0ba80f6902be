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

func ExampleCmd_privileges() {
	cmd := subprocess.Command("/usr/bin/convert", "in.png", "out.jpg")
	cmd.Privileges = subprocess.Privileges{
		User: &subprocess.User{UID: 65534, GID: 65534}, // nobody
		Paths: &subprocess.Paths{
			Read:  []string{"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "in.png"},
			Write: []string{"/var/tmp/converted"},
		},
	}
	r, err := subprocess.Run(context.Background(), cmd)
	fmt.Println(r.Success(), err)
}
