//go:build unix

package subprocess_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

func ExampleRun() {
	r, err := subprocess.Run(context.Background(), subprocess.Command("echo", "hello"))
	fmt.Printf("%v: %s%v\n", r.Exit, r.Stdout, err)
	// Output:
	// exited with code 0: hello
	// <nil>
}

func ExampleRun_check() {
	cmd := subprocess.Shell("echo 'no such user' >&2; exit 2")
	cmd.Check = true
	_, err := subprocess.Run(context.Background(), cmd)
	var exit *subprocess.ExitError
	fmt.Println(errors.As(err, &exit), exit.Exit.Code, string(exit.Stderr))
	// Output: true 2 no such user
}

func ExampleRun_timeout() {
	cmd := subprocess.Command("sleep", "1000")
	cmd.Timeout = 50 * time.Millisecond
	r, err := subprocess.Run(context.Background(), cmd)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), r.Exit)
	// Output: true killed by SIGTERM
}

func ExampleProcess_Communicate() {
	cmd := subprocess.Command("tr", "a-z", "A-Z")
	cmd.Stdin = subprocess.Pipe
	p, err := subprocess.Start(context.Background(), cmd)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := p.Communicate(context.Background(), []byte("loud"))
	fmt.Println(string(r.Stdout), err)
	// Output: LOUD <nil>
}

func ExamplePipeline() {
	results, err := subprocess.Pipeline(context.Background(),
		subprocess.Command("printf", `b\na\n`),
		subprocess.Command("sort"))
	fmt.Printf("%s%v\n", results[1].Stdout, err)
	// Output:
	// a
	// b
	// <nil>
}

func ExampleShell() {
	r, err := subprocess.Run(context.Background(), subprocess.Shell(`echo "one argument: $1"`, "$(reboot); *"))
	fmt.Printf("%s%v\n", r.Stdout, err)
	// Output:
	// one argument: $(reboot); *
	// <nil>
}

func ExampleLines() {
	cmd := subprocess.Shell("echo a; echo b")
	cmd.Stdout = subprocess.Lines(func(line []byte) { fmt.Printf("<%s>\n", line) })
	if _, err := subprocess.Run(context.Background(), cmd); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <a>
	// <b>
}
