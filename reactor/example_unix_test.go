//go:build unix

package reactor_test

import (
	"fmt"
	"log"
	"os"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

func Example() {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()

	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exit 3"}, &os.ProcAttr{})
	if err != nil {
		log.Fatal(err)
	}
	exits := make(chan reactor.Exit, 1)
	if _, err := r.Watch(p, func(e reactor.Exit) { exits <- e }); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-exits)
	// Output: exited with code 3
}

// The group of a process goes with it.
func ExampleWithGroup() {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()

	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "sleep 1000 & sleep 1000"}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	exits := make(chan reactor.Exit, 1)
	w, err := r.Watch(p, func(e reactor.Exit) { exits <- e }, reactor.WithGroup())
	if err != nil {
		log.Fatal(err)
	}
	if err := w.SignalGroup(syscall.SIGTERM); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-exits)
	// Output: killed by SIGTERM
}
