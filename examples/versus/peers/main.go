// Peers runs other goroutine pools for examples/versus: peers ENTRANT N prints
// their tasks a second as JSON. Each task's result is read by its submitter, as a
// future's is.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
)

const workers = 2

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: peers ENTRANT N")
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	run, ok := map[string]func(int){"pond": runPond, "ants": runAnts}[os.Args[1]]
	if !ok {
		log.Fatalf("no entrant %q", os.Args[1])
	}
	run(n / 10) // warm
	begin := time.Now()
	run(n)
	figures := map[string]float64{"tasks/s": float64(n) / time.Since(begin).Seconds()}
	if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runPond has pond's typed results.
func runPond(n int) {
	p := pond.NewResultPool[int](workers)
	defer p.StopAndWait()
	tasks := make([]pond.Result[int], n)
	for i := range tasks {
		tasks[i] = p.Submit(func() int { return i })
	}
	for _, t := range tasks {
		if _, err := t.Wait(); err != nil {
			log.Fatal(err)
		}
	}
}

// runAnts has no results of its own: a channel carries them.
func runAnts(n int) {
	p, err := ants.NewPool(workers)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Release()
	results := make(chan int, n)
	for i := range n {
		if err := p.Submit(func() { results <- i }); err != nil {
			log.Fatal(err)
		}
	}
	for range n {
		<-results
	}
}
